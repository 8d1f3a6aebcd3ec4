// PLAN  CSV: header or not, delimiter, nulls, types, quotes, packing, several blocks, files that
//       take over the first one's types · every complaint has its line and none of the contents
//       · JSON: nested values, types, absent fields, several blocks, limits on depth and cells
#include <arrow/api.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <string>

#include "sheaf/services/files/csv_errors.h"
#include "sheaf/services/files/fixture_test.h"
#include "sheaf/services/files/json_blocks.h"

namespace sheaf::files {
namespace {

class CsvTest : public FilesTest {};
class JsonTest : public FilesTest {};

std::string Pack(const std::string& text, arrow::Compression::type type, const TempDir& dir) {
  const auto codec = arrow::util::Codec::Create(type).ValueOrDie();
  const std::string path = dir / "packed";
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto stream = arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
  SHEAF_CHECK(stream->Write(text.data(), static_cast<int64_t>(text.size())).ok());
  SHEAF_CHECK(stream->Close().ok());
  const auto read = arrow::io::ReadableFile::Open(path).ValueOrDie();
  return read->Read(*read->GetSize()).ValueOrDie()->ToString();
}

void ExpectFailed(const Error& error, const std::string& message) {
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_EQ(error.message, message);
}

TEST_F(CsvTest, TypesAreInferred) {
  dir_.Write("t.csv", "a,b,c,d\n1,x,1.5,2024-01-31\n2,,2.5,2024-02-01\n,\"q,\"\"z\"\"\",,\n");
  const Answer answer = Ask(R"({"uri": "t.csv"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8()),
                       arrow::field("c", arrow::float64()), arrow::field("d", arrow::date32())},
                      R"([[1, "x", 1.5, 19753], [2, "", 2.5, 19754], [null, "q,\"z\"", null,
                           null]])"));
}

TEST_F(CsvTest, OptionsAreObeyed) {
  dir_.Write("t.txt", "1;NA;3\n2;x;-\n");
  const Answer answer = Ask(R"x({"uri": "t.txt", "format": "csv", "options": {"delimiter": ";",
    "header": false, "null_values": ["NA", "-"], "types": {"f0": "decimal(5,2)"}}})x");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("f0", arrow::decimal128(5, 2)),
                       arrow::field("f1", arrow::utf8()), arrow::field("f2", arrow::int64())},
                      R"([["1.00", null, 3], ["2.00", "x", null]])"));
  dir_.Write("t.tsv", "a\tb,c\n1\t2\n");
  EXPECT_EQ(Ask(R"({"uri": "t.tsv"})").schema->ToString(), "a: int64\nb,c: int64");
}

TEST_F(CsvTest, ProjectionAndFilterOnAColumnNotAskedFor) {
  dir_.Write("t.csv", "a,b,c\n1,x,10\n2,y,20\n3,z,30\n");
  const Answer answer =
      Ask(R"({"uri": "t.csv", "columns": ["c", "b"], "filter": [["a", ">=", 2]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("c", arrow::int64()), arrow::field("b", arrow::utf8())},
                      R"([[20, "y"], [30, "z"]])"));
}

TEST_F(CsvTest, ByteOrderMarkBlankLinesAndCarriageReturns) {
  dir_.Write("t.csv",
             "\xef\xbb\xbf"
             "a,b\r\n\r\n1,x\r\n\r\n2,y");
  const Answer answer = Ask(R"({"uri": "t.csv"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())},
                      R"([[1, "x"], [2, "y"]])"));
}

TEST_F(CsvTest, ManyBlocksWithQuotedLineBreaks) {
  std::string text = "n,s\n";
  constexpr int kRows = 200'000;
  for (int n = 0; n < kRows; ++n) {
    text += std::to_string(n) + ",\"line one of " + std::to_string(n) + "\nline, \"\"two\"\"\"\n";
  }
  ASSERT_GT(text.size(), 5U << 20);
  dir_.Write("t.csv", text);
  const Answer answer = Ask(R"({"uri": "t.csv"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  const auto table = answer.Table()->CombineChunks().ValueOrDie();
  ASSERT_EQ(table->num_rows(), kRows);
  const auto& numbers = static_cast<const arrow::Int64Array&>(*table->column(0)->chunk(0));
  const auto& strings = static_cast<const arrow::StringArray&>(*table->column(1)->chunk(0));
  for (int n = 0; n < kRows; ++n) {
    ASSERT_EQ(numbers.Value(n), n);
    ASSERT_EQ(strings.GetView(n), "line one of " + std::to_string(n) + "\nline, \"two\"");
  }
}

TEST_F(CsvTest, PackedFilesAreUnpacked) {
  std::string text = "a\n";
  for (int n = 0; n < 300'000; ++n) text += std::to_string(n) + "\n";
  TempDir scratch;
  dir_.Write("t.csv.gz", Pack(text, arrow::Compression::GZIP, scratch));
  dir_.Write("t.csv.zst", Pack(text, arrow::Compression::ZSTD, scratch));
  dir_.Write("t.csv.bz2", Pack(text, arrow::Compression::BZ2, scratch));
  for (const std::string name : {"t.csv.gz", "t.csv.zst", "t.csv.bz2"}) {
    const Answer answer = Ask(R"({"uri": ")" + name + R"("})");
    ASSERT_TRUE(answer.status.ok()) << name << ": " << answer.status.error().message;
    EXPECT_EQ(answer.rows(), 300'000) << name;
  }
  dir_.Write("bad.csv.gz", "a,b\n1,2\n");
  EXPECT_EQ(Refusal(R"({"uri": "bad.csv.gz"})").kind, Kind::kCorrupt);
  dir_.Write("cut.csv.gz", Pack(text, arrow::Compression::GZIP, scratch).substr(0, 5'000));
  EXPECT_FALSE(Ask(R"({"uri": "cut.csv.gz"})").status.ok());
}

TEST_F(CsvTest, LaterFilesTakeOverTheFirstOnesTypes) {
  dir_.Write("1.csv", "a,b\n1.5,x\n");
  dir_.Write("2.csv", "b,a\n7,2\n");
  dir_.Write("3.csv", "a,b\nword,x\n");
  const Answer answer = Ask(R"({"uris": ["1.csv", "2.csv"]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("a", arrow::float64()), arrow::field("b", arrow::utf8())},
                      R"([[1.5, "x"], [2, "7"]])"));
  ExpectFailed(Refusal(R"({"uris": ["1.csv", "3.csv"]})"),
               "'3.csv', line 2: column 'a': a value is not of type double; options.types can "
               "name another");
}

TEST_F(CsvTest, RaggedRowsNameFileAndLine) {
  dir_.Write("t.csv", "a,b\n1,2\n\n3,4\n5\n6,7\n");
  ExpectFailed(Refusal(R"({"uri": "t.csv"})"), "'t.csv', line 5: 1 columns instead of 2");
  dir_.Write("q.csv", "a,b\n\"x\ny\nz\",2\n1,\"two\"\"\n\"\n3,4,5\n");
  ExpectFailed(Refusal(R"({"uri": "q.csv"})"), "'q.csv', line 7: 3 columns instead of 2");
  std::string text = "a,b\n";
  for (int n = 0; n < 300'000; ++n) text += "12345,\"6\n7\"\n";
  dir_.Write("late.csv", text + "8,9,secret\n");
  const Error late = Refusal(R"({"uri": "late.csv"})");
  ExpectFailed(late, "'late.csv', line 600002: 3 columns instead of 2");
}

TEST_F(CsvTest, ValuesThatDoNotFitNameTheLineAndNotTheValue) {
  std::string text = "a,b\n";
  for (int n = 0; n < 200'000; ++n) text += "1,2000000\n";
  dir_.Write("t.csv", text + "1,secret\n");
  ExpectFailed(Refusal(R"({"uri": "t.csv"})"),
               "'t.csv', line 200002: column 'b': a value is not of type int64; options.types can "
               "name another");
  dir_.Write("s.csv", "a\n1\nsecret\n");
  ExpectFailed(Refusal(R"({"uri": "s.csv", "options": {"types": {"a": "int8"}}})"),
               "'s.csv', line 3: column 'a': a value is not of type int8; options.types can name "
               "another");
}

TEST_F(CsvTest, InvalidUtf8IsRefusedUnlessBytesAreAskedFor) {
  dir_.Write("t.csv", "a,b\n1,ok\n2,\xff\xfe\n");
  ExpectFailed(Refusal(R"({"uri": "t.csv"})"), "'t.csv', line 3: column 'b': not valid UTF-8");
  const Answer answer = Ask(R"({"uri": "t.csv", "options": {"types": {"b": "binary"}}})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.schema->field(1)->type()->id(), arrow::Type::BINARY);
  dir_.Write("h.csv", "a,\xff\n1,2\n");
  ExpectFailed(Refusal(R"({"uri": "h.csv"})"),
               "'h.csv', line 1: a column's name is not valid UTF-8");
  dir_.Write("u.csv", std::string("\xff\xfe"
                                  "a\0\n\0",
                                  6));
  ExpectFailed(Refusal(R"({"uri": "u.csv"})"),
               "'u.csv', line 1: this is UTF-16; only UTF-8 is read");
}

TEST_F(CsvTest, EmptyAndHeaderOnlyFiles) {
  dir_.Write("zero.csv", "");
  ExpectFailed(Refusal(R"({"uri": "zero.csv"})"), "'zero.csv' is empty (0 bytes)");
  dir_.Write("blank.csv", "\n\n");
  ExpectFailed(Refusal(R"({"uri": "blank.csv"})"),
               "'blank.csv', line 1: no rows, not even a header");
  dir_.Write("head.csv", "a,b\n");
  const Answer answer = Ask(R"({"uri": "head.csv", "options": {"types": {"a": "date"}}})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.schema->ToString(), "a: date32[day]\nb: null");
  EXPECT_EQ(answer.rows(), 0);
}

TEST_F(CsvTest, BadHeadersAndOptionsAreNamed) {
  dir_.Write("t.csv", "a,b,a\n1,2,3\n");
  ExpectFailed(Refusal(R"({"uri": "t.csv"})"), "'t.csv', line 1: two columns 'a'");
  dir_.Write("u.csv", "total,b\n1,2\n");
  const Error error = Refusal(R"({"uri": "u.csv", "options": {"types": {"totl": "int64"}}})");
  EXPECT_EQ(error.kind, Kind::kInvalid);
  EXPECT_NE(error.message.find("did you mean 'total'"), std::string::npos) << error.message;
  dir_.Write("w.csv", std::string(20'000, ',') + "\n");
  EXPECT_EQ(Refusal(R"({"uri": "w.csv", "options": {"header": false}})").kind, Kind::kExhausted);
}

TEST_F(CsvTest, QuoteWithoutItsEnd) {
  dir_.Write("t.csv", "a,b\n1,\"x\n2,y\n");
  ExpectFailed(Refusal(R"({"uri": "t.csv"})"), "'t.csv', line 2: a quote without its end");
  dir_.Write("long.csv", "a,b\n1,\"" + std::string(20 << 20, 'x'));
  EXPECT_EQ(Refusal(R"({"uri": "long.csv"})").kind, Kind::kExhausted);
}

TEST_F(CsvTest, LongRowsWithinTheLimitAreRead) {
  dir_.Write("t.csv", "a,b\n1," + std::string(5 << 20, 'x') + "\n2,y\n");
  const Answer answer = Ask(R"({"uri": "t.csv", "columns": ["a"]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.rows(), 2);
}

TEST(CsvErrorsTest, LinesAreCountedAsRowsAreNot) {
  const std::string block = "1,2\n\n\"a\nb\",3\r\n\n4,\"c\"\"\n\"\"d\"\n5,6\n";
  EXPECT_EQ(WalkRows(block, 0, ',').lines, 0);
  EXPECT_EQ(WalkRows(block, 1, ',').lines, 2);
  EXPECT_EQ(WalkRows(block, 2, ',').lines, 5);
  EXPECT_EQ(WalkRows(block, 3, ',').lines, 7);
  EXPECT_FALSE(WalkRows(block, kEveryRow, ',').quoted);
  EXPECT_EQ(WalkRows("x\"y\n1\n", 1, ',').lines, 1);  // A quote inside a value is a letter.
  EXPECT_TRUE(WalkRows("1,\"x\n2", kEveryRow, ',').quoted);
  EXPECT_FALSE(WalkRows("1,\"x\"\"y\"", kEveryRow, ',').quoted);
  EXPECT_EQ(WalkRows("", 5, ',').lines, 0);
}

TEST_F(JsonTest, NestedValuesComeBack) {
  dir_.Write("t.json", R"({"a": 1, "b": "x", "c": [1, 2], "d": {"e": true}}
{"a": 2, "c": [], "d": null}

{"b": "z\u00e9\n", "a": -3}
)");
  const Answer answer = Ask(R"({"uri": "t.json"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8()),
                       arrow::field("c", arrow::list(arrow::int64())),
                       arrow::field("d", arrow::struct_({arrow::field("e", arrow::boolean())}))},
                      R"([[1, "x", [1, 2], {"e": true}], [2, null, [], null],
                   [-3, "zé\n", null, null]])"));
}

TEST_F(JsonTest, ObjectsMaySpanLinesAndShareThem) {
  dir_.Write("t.ndjson", "{\"a\":\n 1}{\"a\": 2} {\n\"a\": 3\n}");
  const Answer answer = Ask(R"({"uri": "t.ndjson"})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(), *TableOf({arrow::field("a", arrow::int64())}, "[[1], [2], [3]]"));
}

TEST_F(JsonTest, ManyBlocksKeepTheFirstOnesTypes) {
  std::string text;
  constexpr int kRows = 100'000;
  for (int n = 0; n < kRows; ++n) {
    text += "{\"n\": " + std::to_string(n) + ", \"s\": \"row {" + std::to_string(n) + "}\"}\n";
  }
  ASSERT_GT(text.size(), 2U << 20);
  dir_.Write("t.jsonl", text);
  const Answer answer =
      Ask(R"({"uri": "t.jsonl", "columns": ["s"], "filter": [["n", ">=", 99998]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("s", arrow::utf8())}, R"([["row {99998}"], ["row {99999}"]])"));
  dir_.Write("field.jsonl", text + "{\"n\": 1, \"t\": 2}\n");
  const Error field = Refusal(R"({"uri": "field.jsonl"})");
  EXPECT_EQ(field.kind, Kind::kFailed);
  EXPECT_NE(field.message.find("options.types"), std::string::npos) << field.message;
  EXPECT_TRUE(Ask(R"({"uri": "field.jsonl", "columns": ["n"]})").status.ok());
  EXPECT_TRUE(Ask(R"({"uri": "field.jsonl", "options": {"types": {"t": "int64"}}})").status.ok());
  dir_.Write("type.jsonl", text + "{\"n\": \"secret\"}\n");
  const Error type = Refusal(R"({"uri": "type.jsonl"})");
  EXPECT_EQ(type.kind, Kind::kFailed);
  EXPECT_NE(type.message.find("line 100001"), std::string::npos) << type.message;
  EXPECT_EQ(type.message.find("secret"), std::string::npos) << type.message;
  dir_.Write("half.jsonl", text + "{\"n\": 1.5}\n");
  const Error half = Refusal(R"({"uri": "half.jsonl"})");
  EXPECT_NE(half.message.find("not of type int64"), std::string::npos) << half.message;
  EXPECT_EQ(half.message.find("1.5"), std::string::npos) << half.message;
}

TEST_F(JsonTest, TypesMayBeSaid) {
  dir_.Write("t.json", R"({"d": "2024-01-31", "x": 1})");
  const Answer answer = Ask(
      R"x({"uri": "t.json", "options": {"types": {"d": "date", "x": "double", "m": "string"}}})x");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.schema->GetFieldByName("x")->type()->id(), arrow::Type::DOUBLE);
  EXPECT_EQ(answer.schema->GetFieldByName("m")->type()->id(), arrow::Type::STRING);
}

TEST_F(JsonTest, LaterFilesTakeOverTheFirstOnesTypes) {
  dir_.Write("1.json", "{\"a\": 1.5, \"b\": \"x\"}");
  dir_.Write("2.json", "{\"a\": 2}");
  dir_.Write("3.json", "{\"a\": 3, \"z\": 1}");
  const Answer answer = Ask(R"({"uris": ["1.json", "2.json"]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(),
             *TableOf({arrow::field("a", arrow::float64()), arrow::field("b", arrow::utf8())},
                      R"([[1.5, "x"], [2, null]])"));
  EXPECT_EQ(Refusal(R"({"uris": ["1.json", "3.json"]})").kind, Kind::kFailed);
}

TEST_F(JsonTest, WhatIsNoSequenceOfObjectsNamesItsLine) {
  const auto refuse = [&](const std::string& text) {
    dir_.Write("t.json", text);
    const Error error = Refusal(R"({"uri": "t.json"})");
    EXPECT_EQ(error.kind, Kind::kFailed) << text;
    return error.message;
  };
  EXPECT_EQ(refuse("[{\"a\": 1}]"),
            "'t.json', line 1: an array; one object a line is read, without brackets");
  EXPECT_EQ(refuse("{\"a\": 1}\n\n7\n"),
            "'t.json', line 3: no JSON object; one object a line is read");
  EXPECT_EQ(refuse("{\"a\": 1}\n{\"a\": "), "'t.json', line 2: an object without its end");
  EXPECT_EQ(refuse("{\"a\": \"x"), "'t.json', line 1: an object without its end");
  EXPECT_EQ(refuse("\n \n"), "'t.json', line 1: no JSON object in the file");
  EXPECT_EQ(refuse("{}\n{}"), "'t.json', line 1: the objects have no fields");
  EXPECT_NE(refuse("{\"a\": 1}\n{\"a\": tru}\n").find("line 2"), std::string::npos);
  EXPECT_NE(refuse("{\"a\": 1}\n{\"a\" 1}\n").find("line 2"), std::string::npos);
  EXPECT_NE(refuse("{\"a\": 1}\n{\"a\": \"s\"}\n").find("line 2"), std::string::npos);
  EXPECT_NE(refuse("{\"a\": [1}]\n").find("line 1"), std::string::npos);
  EXPECT_NE(refuse("{\"a\": 1, \"a\": 2}\n").find("line 1"), std::string::npos);
  EXPECT_FALSE(refuse("{\"a\": \"\xff\"}\n").empty());
}

TEST_F(JsonTest, DeepValuesAreRefused) {
  std::string deep, lists;
  for (int n = 0; n < 200'000; ++n) deep += "{\"a\":";
  for (int n = 0; n < 200'000; ++n) lists += "[";
  dir_.Write("t.json", deep);
  EXPECT_EQ(Refusal(R"({"uri": "t.json"})").message, "'t.json', line 1: nested deeper than 64");
  dir_.Write("l.json", "{\"a\":" + lists);
  EXPECT_EQ(Refusal(R"({"uri": "l.json"})").kind, Kind::kFailed);
}

TEST_F(JsonTest, SparseObjectsDoNotGrowBeyondMeasure) {
  // A thousand columns, then many empty objects: blocks are cut by cells, not only by bytes.
  std::string text = "{";
  for (int n = 0; n < 1'000; ++n) text += (n == 0 ? "\"k" : ",\"k") + std::to_string(n) + "\":1";
  text += "}\n";
  for (int n = 0; n < 300'000; ++n) text += "{}\n";
  dir_.Write("t.json", text);
  int64_t most = 0;
  on_write_ = [&](uint32_t, const Batch& batch) -> Status {
    most = std::max(most, batch->num_rows());
    return Done();
  };
  module::RunContext context = Context();
  const Answer answer = Ask(R"({"uri": "t.json", "columns": ["k1"]})", context);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.rows(), 300'001);
  EXPECT_LE(most, kJsonCellsMax / 1'000 + 1);
  // Each object its own column.
  text.clear();
  for (int n = 0; n < 100'000; ++n) text += "{\"k" + std::to_string(n) + "\":1}\n";
  dir_.Write("u.json", text);
  const Error error = Refusal(R"({"uri": "u.json"})");
  EXPECT_TRUE(error.kind == Kind::kExhausted || error.kind == Kind::kFailed) << error.message;
}

}  // namespace
}  // namespace sheaf::files
