// PLAN  each format gives back what went in · a table shows the first rows and counts all · a file
//       is whole or absent, keeps its mode and stays behind its link · formats by name and by
//       suffix · several files are one upload, another schema is named

#include "sheaf/apps/sheaf/output.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sheaf/apps/sheaf/upload.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::shared_ptr<arrow::Table> Sample() {
  const auto schema =
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("t", arrow::utf8()),
                     arrow::field("x", arrow::float64())});
  return arrow::Table::Make(
      schema, {*arrow::json::ArrayFromJSONString(arrow::int64(), "[1, 2, 3]"),
               *arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a,b", "say \"hi\"", null])"),
               *arrow::json::ArrayFromJSONString(arrow::float64(), "[0.5, null, -2.25]")});
}

class OutputTest : public ::testing::Test {
 protected:
  OutputTest() : folder_(fs::path(::testing::TempDir()) / ("sheaf-output-" + core::RandomHex(8))) {
    fs::create_directories(folder_);
  }
  ~OutputTest() override { fs::remove_all(folder_); }

  std::string At(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::shared_ptr<arrow::Table>& table, const std::string& name,
             const OutputOptions& more = {}) {
    OutputOptions options = more;
    options.file = At(name);
    options.format = ParseFormat("", options.file).value();
    arrow::TableBatchReader reader(*table);
    const auto rows = WriteOutput(reader, options, [](int64_t n) { return Grouped(n); });
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_EQ(*rows, table->num_rows());
  }
  std::string TextOf(const std::string& name) const {
    std::ifstream file(At(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Save(const std::string& name, const std::string& text) const {
    std::ofstream(At(name)) << text;
  }
  Result<std::shared_ptr<arrow::Table>> Read(const std::vector<std::string>& names,
                                             const UploadOptions& options = {}) const {
    std::vector<std::string> files;
    for (const auto& name : names) files.push_back(At(name));
    SHEAF_ASSIGN(auto reader, OpenFiles(files, options));
    return columnar::FromArrow(reader->ToTable());
  }
  static std::string Grouped(int64_t n) { return "(" + std::to_string(n) + " rows)"; }

  const fs::path folder_;
};

TEST_F(OutputTest, EveryFormatGivesBackWhatWentIn) {
  for (const char* name : {"a.csv", "a.ndjson", "a.arrow", "a.parquet"}) {
    SCOPED_TRACE(name);
    Write(Sample(), name);
    const auto read = Read({name});
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE((*read)->Equals(*Sample())) << (*read)->ToString();
  }
}

TEST_F(OutputTest, CsvQuotesWhatNeedsIt) {
  Write(Sample(), "a.csv");
  EXPECT_EQ(TextOf("a.csv"), "n,t,x\n1,\"a,b\",0.5\n2,\"say \"\"hi\"\"\",\n3,,-2.25\n");
}

TEST_F(OutputTest, CsvTellsEmptyTextFromNothing) {
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("t", arrow::utf8()), arrow::field("d", arrow::date32()),
                     arrow::field("a,b", arrow::decimal128(5, 2))}),
      {*arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["", null])"),
       *arrow::json::ArrayFromJSONString(arrow::date32(), "[20000, null]"),
       *arrow::json::ArrayFromJSONString(arrow::decimal128(5, 2), R"(["1.50", null])")});
  Write(table, "a.csv");
  EXPECT_EQ(TextOf("a.csv"), "t,d,\"a,b\"\n\"\",2024-10-04,1.50\n,,\n");
}

TEST_F(OutputTest, NestedValuesAreJsonInsideCsv) {
  const auto type = arrow::list(arrow::int32());
  const auto table =
      arrow::Table::Make(arrow::schema({arrow::field("l", type)}),
                         {*arrow::json::ArrayFromJSONString(type, "[[1, 2], null]")});
  Write(table, "l.csv");
  EXPECT_EQ(TextOf("l.csv"), "l\n\"[1,2]\"\n\n");
}

TEST_F(OutputTest, JsonIsOneArrayOrOneObjectALine) {
  Write(Sample()->Slice(0, 2), "a.json");
  EXPECT_EQ(TextOf("a.json"),
            "[\n{\"n\":1,\"t\":\"a,b\",\"x\":0.5},\n"
            "{\"n\":2,\"t\":\"say \\\"hi\\\"\",\"x\":null}\n]\n");
  Write(Sample()->Slice(0, 0), "b.json");
  EXPECT_EQ(TextOf("b.json"), "[]\n");
}

TEST_F(OutputTest, TableShowsTheFirstRowsAndCountsAll) {
  Write(Sample(), "a.txt", {.rows_max = 2});
  EXPECT_EQ(TextOf("a.txt"),
            " n │ t        │    x\n"
            "───┼──────────┼──────\n"
            " 1 │ a,b      │  0.5\n"
            " 2 │ say \"hi\" │ NULL\n"
            "(3 rows)\n");
}

TEST_F(OutputTest, FileIsWholeOrAbsent) {
  auto failing = *arrow::RecordBatchReader::MakeFromIterator(
      arrow::MakeFunctionIterator([]() -> arrow::Result<Batch> {
        return columnar::ToArrow(Fail(Kind::kFailed, "out of ideas"));
      }),
      Sample()->schema());
  const OutputOptions options{.format = Format::kCsv, .file = At("torn.csv")};
  const auto rows = WriteOutput(*failing, options, Grouped);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().message, "out of ideas");
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(OutputTest, FileThatIsReplacedKeepsItsMode) {
  Save("secret.csv", "old");
  const auto mode = fs::perms::owner_read | fs::perms::owner_write;
  fs::permissions(At("secret.csv"), mode);
  Write(Sample(), "secret.csv");
  EXPECT_THAT(TextOf("secret.csv"), HasSubstr("a,b"));
  EXPECT_EQ(fs::status(At("secret.csv")).permissions(), mode);
}

TEST_F(OutputTest, LinkStaysAndItsTargetIsReplaced) {
  fs::create_directories(folder_ / "there");
  Save("there/old.csv", "old");
  fs::create_symlink("there/old.csv", folder_ / "first.csv");
  fs::create_symlink(folder_ / "first.csv", folder_ / "second.csv");
  fs::create_symlink("there/new.csv", folder_ / "nothing-yet.csv");
  for (const char* name : {"second.csv", "nothing-yet.csv"}) {
    SCOPED_TRACE(name);
    Write(Sample(), name);
    EXPECT_TRUE(fs::is_symlink(folder_ / name));
    EXPECT_THAT(TextOf(name), HasSubstr("a,b"));
  }
  EXPECT_THAT(TextOf("there/old.csv"), HasSubstr("a,b"));
  fs::create_symlink("circle.csv", folder_ / "circle.csv");
  arrow::TableBatchReader reader(*Sample());
  const auto rows =
      WriteOutput(reader, {.format = Format::kCsv, .file = At("circle.csv")}, Grouped);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, Kind::kInvalid);
}

TEST_F(OutputTest, FileThatCannotBeMadeIsNamed) {
  for (const char* name : {"nodir/x.csv", "nodir/x.parquet", "nodir/x.arrow"}) {
    const OutputOptions options{.format = ParseFormat("", name).value(), .file = At(name)};
    arrow::TableBatchReader reader(*Sample());
    const auto rows = WriteOutput(reader, options, Grouped);
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().kind, Kind::kInvalid);
    EXPECT_THAT(rows.error().message, HasSubstr(name));
  }
}

TEST_F(OutputTest, FormatIsNamedOrSaidByTheSuffix) {
  EXPECT_EQ(ParseFormat("", "").value(), Format::kTable);
  EXPECT_EQ(ParseFormat("", "-").value(), Format::kTable);
  EXPECT_EQ(ParseFormat("", "a.jsonl").value(), Format::kNdjson);
  EXPECT_EQ(ParseFormat("csv", "a.parquet").value(), Format::kCsv);
  EXPECT_THAT(ParseFormat("", "a.xlsx").error().message, HasSubstr("--format"));
  EXPECT_THAT(ParseFormat("parqet", "").error().message, HasSubstr("'parquet'"));
}

TEST_F(OutputTest, SeveralFilesAreOneUpload) {
  Save("a.csv", "n,t\n1,x\n");
  Save("b.csv", "n,t\n2,y\n");
  const auto read = Read({"a.csv", "b.csv"});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)->num_rows(), 2);
  Save("c.csv", "n,other\n3,z\n");
  const auto odd = Read({"a.csv", "c.csv"});
  ASSERT_FALSE(odd.ok());
  EXPECT_THAT(odd.error().message, HasSubstr("c.csv"));
}

TEST_F(OutputTest, CsvMayHaveAnotherDelimiterAndNoHeader) {
  Save("a.csv", "1;x\n2;y\n");
  const auto read = Read({"a.csv"}, {.delimiter = ';', .header = false});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)->num_rows(), 2);
  EXPECT_EQ((*read)->num_columns(), 2);
  Save("a.tsv", "n\tt\n1\tx\n");
  EXPECT_EQ((*Read({"a.tsv"}))->num_columns(), 2);
}

TEST_F(OutputTest, FileWithoutFormatIsNamed) {
  Save("a.bin", "x");
  EXPECT_THAT(Read({"a.bin"}).error().message, HasSubstr("a.bin"));
  EXPECT_THAT(Read({"gone.csv"}).error().message, HasSubstr("gone.csv"));
  Save("bad.parquet", "no parquet at all");
  EXPECT_EQ(Read({"bad.parquet"}).error().kind, Kind::kInvalid);
}

}  // namespace
}  // namespace sheaf::app
