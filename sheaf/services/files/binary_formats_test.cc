// PLAN  every Arrow type comes back from Parquet and IPC · IPC streams, ORC, dictionaries · a
//       Parquet file cut anywhere, with any byte changed, or with a lying footer ends in an error
//       that names it, or in a result, never in a crash or a great allocation · the same for IPC
#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <sys/resource.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/services/files/fixture_test.h"
#include "sheaf/services/files/ipc_footer.h"
#include "sheaf/services/files/parquet_footer.h"
#include "testkit/seed.h"

namespace sheaf::files {
namespace {

class BinaryTest : public FilesTest {
 protected:
  static std::string Load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // The error kind of reading these bytes; nothing when it went well.
  std::optional<Kind> KindOf(const std::string& name, const std::string& bytes) {
    dir_.Write(name, bytes);
    const Answer answer = Ask(R"({"uri": ")" + name + R"("})");
    if (answer.status.ok()) return std::nullopt;
    const Error& error = answer.status.error();
    EXPECT_NE(error.message.find("'" + name + "'"), std::string::npos) << error.message;
    return error.kind;
  }
};

std::shared_ptr<arrow::Table> EveryType() {
  const auto dictionary = arrow::dictionary(arrow::int32(), arrow::utf8());
  auto plain = TableOf(
      {arrow::field("bool", arrow::boolean()),
       arrow::field("i8", arrow::int8()),
       arrow::field("u64", arrow::uint64()),
       arrow::field("f32", arrow::float32()),
       arrow::field("f64", arrow::float64()),
       arrow::field("d", arrow::decimal128(20, 3)),
       arrow::field("dd", arrow::decimal256(60, 3)),
       arrow::field("date", arrow::date32()),
       arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
       arrow::field("tz", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
       arrow::field("t32", arrow::time32(arrow::TimeUnit::MILLI)),
       arrow::field("t64", arrow::time64(arrow::TimeUnit::NANO)),
       arrow::field("dur", arrow::duration(arrow::TimeUnit::SECOND)),
       arrow::field("s", arrow::utf8()),
       arrow::field("ls", arrow::large_utf8()),
       arrow::field("bin", arrow::binary()),
       arrow::field("fix", arrow::fixed_size_binary(3)),
       arrow::field("l", arrow::list(arrow::int64())),
       arrow::field("st", arrow::struct_({arrow::field("x", arrow::int64()),
                                          arrow::field("y", arrow::utf8())})),
       arrow::field("m", arrow::map(arrow::utf8(), arrow::int64())),
       arrow::field("dict", dictionary)},
      R"([[true, 1, 18446744073709551615, 1.5, 2.5, "12345.678", "1.000", 19000, 1, 2, 3, 4, 5, "a",
           "b", "c", "xyz", [1, 2], {"x": 1, "y": "z"}, [["k", 1]], "red"],
          [null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
           null, null, null, null, null, null],
          [false, -128, 0, -0.0, 1e300, "-0.001", "-9.999", -1, -1, -2, 0, 0, -5, "", "é", "",
           "abc", [], {"x": null, "y": null}, [], "green"]])");
  return plain;
}

TEST_F(BinaryTest, EveryTypeComesBack) {
  const auto table = EveryType();
  WriteParquet("t.parquet", table);
  WriteIpc("t.arrow", table);
  for (const std::string name : {"t.parquet", "t.arrow"}) {
    const Answer answer = Ask(R"({"uri": ")" + name + R"("})");
    ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
    ExpectSame(*answer.Table(), *table);
  }
}

TEST_F(BinaryTest, IpcStreamsAreReadToo) {
  const auto table = EveryType();
  const std::string path = dir_.Write("t.arrows", "");
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto writer = arrow::ipc::MakeStreamWriter(file, table->schema()).ValueOrDie();
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(writer->WriteTable(*table, 2).ok());
  ASSERT_TRUE(writer->Close().ok() && file->Close().ok());
  const Answer answer = Ask(R"({"uri": "t.arrows", "columns": ["dict", "i8"],
                               "filter": [["u64", "=", 18446744073709551615]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  EXPECT_EQ(answer.rows(), 3);
  EXPECT_EQ(answer.schema->field_names(), (std::vector<std::string>{"dict", "i8"}));
}

TEST_F(BinaryTest, OrcIsRead) {
  const auto table = TableOf({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())},
                             R"([[1, "x"], [2, null], [3, "z"]])");
  const std::string path = dir_.Write("t.orc", "");
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto writer = arrow::adapters::orc::ORCFileWriter::Open(file.get()).ValueOrDie();
  ASSERT_TRUE(writer->Write(*table).ok() && writer->Close().ok() && file->Close().ok());
  const Answer answer = Ask(R"({"uri": "t.orc", "columns": ["b"], "filter": [["a", ">", 1]]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(), *TableOf({arrow::field("b", arrow::utf8())}, R"([[null], ["z"]])"));
  const std::string bytes = Load(path);
  for (size_t size = 1; size < bytes.size(); size += 7) {
    EXPECT_TRUE(KindOf("cut.orc", bytes.substr(0, size)).has_value()) << size;
  }
}

TEST_F(BinaryTest, NestedColumnsAreProjectedWhole) {
  WriteParquet("t.parquet", EveryType());
  const Answer answer = Ask(R"({"uri": "t.parquet", "columns": ["m", "st", "l", "bool"]})");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
  ExpectSame(*answer.Table(), *EveryType()->SelectColumns({19, 18, 17, 0}).ValueOrDie());
}

TEST_F(BinaryTest, ZeroBytesAndWrongSuffixesAreNamed) {
  EXPECT_EQ(KindOf("zero.parquet", ""), Kind::kFailed);
  EXPECT_EQ(KindOf("zero.arrow", ""), Kind::kFailed);
  EXPECT_EQ(KindOf("text.parquet", "a,b\n1,2\nthis is text, not Parquet\n"), Kind::kFailed);
  EXPECT_EQ(KindOf("text.arrow", "a,b\n1,2\nthis is text, not Arrow\n"), Kind::kFailed);
  EXPECT_EQ(KindOf("text.orc", "a,b\n1,2\n"), Kind::kFailed);
  EXPECT_EQ(KindOf("short.parquet", "PAR1"), Kind::kFailed);
  WriteParquet("t.parquet", EveryType());
  const std::string parquet = Load(dir_ / "t.parquet");
  EXPECT_EQ(KindOf("t.arrow", parquet), Kind::kFailed);
  EXPECT_TRUE(KindOf("t.csv", parquet).has_value());
  EXPECT_TRUE(KindOf("t.json", parquet).has_value());
  WriteIpc("i.arrow", EveryType());
  EXPECT_EQ(KindOf("i.parquet", Load(dir_ / "i.arrow")), Kind::kFailed);
  EXPECT_EQ(KindOf("f.feather", "FEA1abcdefgh"), Kind::kUnsupported);
  EXPECT_EQ(KindOf("e.parquet", "PARE" + std::string(20, 'x') + "PARE"), Kind::kUnsupported);
}

TEST_F(BinaryTest, LyingFooterLengthsAreCorrupt) {
  WriteParquet("t.parquet", EveryType());
  const std::string good = Load(dir_ / "t.parquet");
  for (const uint32_t length :
       {0U, 1U, 17U, 0x7fffffffU, 0x80000000U, 0xffffffffU, static_cast<uint32_t>(good.size())}) {
    std::string bad = good;
    std::memcpy(bad.data() + bad.size() - 8, &length, 4);
    EXPECT_EQ(KindOf("bad.parquet", bad), Kind::kCorrupt) << length;
  }
  std::string cut = good.substr(0, good.size() / 2);
  dir_.Write("cut.parquet", cut);
  const Error error = Refusal(R"({"uri": "cut.parquet"})");
  EXPECT_EQ(error.kind, Kind::kCorrupt);
  EXPECT_EQ(error.message, "'cut.parquet' is damaged at byte " + std::to_string(cut.size()) +
                               ": it was cut short, the footer is not there");
}

TEST_F(BinaryTest, ParquetCutAnywhereIsAnError) {
  WriteParquet("t.parquet", EveryType());
  const std::string good = Load(dir_ / "t.parquet");
  for (size_t size = 1; size < good.size(); size += 11) {
    EXPECT_TRUE(KindOf("cut.parquet", good.substr(0, size)).has_value()) << size;
    // As if the middle had been lost: the footer is whole, the data is not where it says.
    EXPECT_TRUE(KindOf("hole.parquet", good.substr(0, 4) + good.substr(4 + size)).has_value() ||
                size > good.size() - 12)
        << size;
  }
}

TEST_F(BinaryTest, ChangedBytesEndInAnErrorOrAResult) {
  WriteParquet("t.parquet", EveryType());
  WriteIpc("t.arrow", EveryType());
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const std::string suffix : {"parquet", "arrow"}) {
    const std::string good = Load(dir_ / ("t." + suffix));
    for (int n = 0; n < 1'500; ++n) {
      std::string bad = good;
      for (int k = 0; k < 1 + n % 3; ++k) {
        bad[random() % bad.size()] = static_cast<char>(random());
      }
      KindOf("bad." + suffix, bad);
    }
  }
}

TEST_F(BinaryTest, IpcCutAnywhereIsAnError) {
  WriteIpc("t.arrow", EveryType());
  const std::string good = Load(dir_ / "t.arrow");
  for (size_t size = 1; size < good.size(); size += 13) {
    EXPECT_TRUE(KindOf("cut.arrow", good.substr(0, size)).has_value()) << size;
  }
}

TEST_F(BinaryTest, IpcMessagesThatClaimMoreThanTheFileHoldsAreCorrupt) {
  WriteIpc("t.arrow", EveryType(), 1);
  const std::string good = Load(dir_ / "t.arrow");
  int32_t footer_bytes = 0;
  std::memcpy(&footer_bytes, good.data() + good.size() - 10, 4);
  const size_t footer_at = good.size() - 10 - static_cast<size_t>(footer_bytes);
  const auto blocks = BlocksOfFooter(std::string_view(good).substr(footer_at, good.size()));
  ASSERT_TRUE(blocks.has_value());
  ASSERT_EQ(blocks->size(), 3U);
  // Wherever the second message says how long its body is, it says a petabyte.
  const IpcBlock block = (*blocks)[1];
  const auto begin = static_cast<size_t>(block.offset);
  const auto metadata_bytes = static_cast<size_t>(block.metadata_bytes);
  EXPECT_EQ(BodyOfMessage(std::string_view(good).substr(begin, metadata_bytes)), block.body_bytes);
  std::string bad = good;
  const int64_t much = int64_t{1} << 50;
  for (size_t at = begin; at < begin + metadata_bytes; at += 4) {
    int64_t number = 0;
    std::memcpy(&number, bad.data() + at, 8);
    if (number == block.body_bytes) std::memcpy(bad.data() + at, &much, 8);
  }
  dir_.Write("bad.arrow", bad);
  const Error error = Refusal(R"({"uri": "bad.arrow"})");
  EXPECT_EQ(error.kind, Kind::kCorrupt);
  EXPECT_EQ(error.message,
            "'bad.arrow' is damaged at batch 1: its message claims a body that is not in the file");
}

TEST(IpcFooterTest, MalformedBytesGiveNothing) {
  EXPECT_FALSE(BlocksOfFooter("").has_value());
  EXPECT_FALSE(BlocksOfFooter(std::string(64, '\xff')).has_value());
  EXPECT_FALSE(BodyOfMessage("").has_value());
  EXPECT_FALSE(BodyOfMessage("\xff\xff\xff\xff\x01").has_value());
  EXPECT_FALSE(BodyOfMessage(std::string(64, '\xff')).has_value());
  std::mt19937_64 random(1);
  for (int n = 0; n < 20'000; ++n) {
    std::string bytes(random() % 80, '\0');
    for (char& c : bytes) c = random() % 2 == 0 ? static_cast<char>(random()) : '\4';
    (void)BlocksOfFooter(bytes);
    (void)BodyOfMessage(bytes);
  }
}

TEST_F(BinaryTest, InvalidUtf8InColumnsIsCorrupt) {
  // Bytes written as binary, then claimed to be strings: the names of types are in the footer.
  auto table = TableOf({arrow::field("s", arrow::utf8())}, R"([["abcdefgh"]])");
  WriteIpc("t.arrow", table);
  std::string bytes = Load(dir_ / "t.arrow");
  bytes[bytes.find("abcdefgh") + 3] = '\xff';
  EXPECT_EQ(KindOf("bad.arrow", bytes), Kind::kCorrupt);
  WriteParquet("t.parquet", table);
  bytes = Load(dir_ / "t.parquet");
  for (size_t at = bytes.find("abcdefgh"); at != bytes.npos; at = bytes.find("abcdefgh", at + 1)) {
    bytes[at + 3] = '\xff';
  }
  EXPECT_EQ(KindOf("bad.parquet", bytes), Kind::kCorrupt);
}

// --- footers written by hand, in Thrift's compact protocol ------------------------------------
class Thrift {
 public:
  Thrift& Field(int delta, int type) { return Byte(delta << 4 | type); }
  Thrift& Byte(int byte) {
    text_ += static_cast<char>(byte);
    return *this;
  }
  Thrift& Varint(uint64_t number) {
    for (; number >= 0x80; number >>= 7) Byte(static_cast<int>(number & 0x7f) | 0x80);
    return Byte(static_cast<int>(number));
  }
  Thrift& Number(int64_t number) {
    return Varint(static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63));
  }
  Thrift& List(uint64_t count, int type) {
    Byte(0xf0 | type);
    return Varint(count);
  }
  Thrift& Text(const std::string& text) {
    Varint(text.size());
    text_ += text;
    return *this;
  }
  std::string AsFile() const {
    std::string file = "PAR1" + text_ + "    PAR1";
    const auto size = static_cast<uint32_t>(text_.size());
    std::memcpy(file.data() + file.size() - 8, &size, 4);
    return file;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

TEST_F(BinaryTest, SchemaOfManyLevelsIsCorrupt) {
  constexpr int kLevels = 500'000;
  Thrift footer;
  footer.Field(1, 5).Number(1).Field(1, 9).List(kLevels + 1, 12);
  for (int n = 0; n < kLevels; ++n) {
    footer.Field(3, 5).Number(0).Field(1, 8).Text("a").Field(1, 5).Number(1).Byte(0);
  }
  footer.Field(1, 5).Number(1).Field(2, 5).Number(0).Field(1, 8).Text("a").Byte(0);
  footer.Field(1, 6).Number(0).Field(1, 9).Byte(0x0c).Byte(0);
  EXPECT_EQ(KindOf("deep.parquet", footer.AsFile()), Kind::kCorrupt);
}

TEST_F(BinaryTest, FooterOfMillionsOfStructuresIsCorrupt) {
  Thrift footer;
  footer.Field(1, 5).Number(1).Field(1, 9).List(3'000'000, 12);
  for (int n = 0; n < 3'000'000; ++n) footer.Byte(0);
  EXPECT_EQ(KindOf("many.parquet", footer.AsFile()), Kind::kCorrupt);
  Thrift lying;
  lying.Field(1, 5).Number(1).Field(1, 9).List(uint64_t{1} << 60, 12);
  EXPECT_EQ(KindOf("lying.parquet", lying.AsFile()), Kind::kCorrupt);
}

TEST_F(BinaryTest, HugeFootersAreExhausted) {
  const int64_t size = kFooterBytesMax + 100;
  std::string file = "PAR1" + std::string(static_cast<size_t>(size), '\0') + "    PAR1";
  const auto length = static_cast<uint32_t>(size);
  std::memcpy(file.data() + file.size() - 8, &length, 4);
  EXPECT_EQ(KindOf("huge.parquet", file), Kind::kExhausted);
}

TEST(ThriftCounterTest, CountsAndRefuses) {
  Thrift two;
  two.Field(1, 12).Field(1, 5).Number(7).Byte(0).Byte(0);
  EXPECT_EQ(CountThriftStructs(two.text()), 2);
  EXPECT_EQ(CountThriftStructs(""), -1);
  EXPECT_EQ(CountThriftStructs(two.text().substr(0, 3)), -1);
  std::string deep;
  for (int n = 0; n < 100'000; ++n) deep += "\x1c";
  EXPECT_EQ(CountThriftStructs(deep), -1);
  std::string lists = "\x19";
  for (int n = 0; n < 100'000; ++n) lists += "\x19";
  EXPECT_EQ(CountThriftStructs(lists), -1);
  Thrift text;
  text.Field(1, 8).Varint(uint64_t{1} << 63);
  EXPECT_EQ(CountThriftStructs(text.text()), -1);
}

TEST_F(BinaryTest, DuplicateColumnsAreRefused) {
  auto table =
      TableOf({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64())}, "[[1, 2]]");
  table = table->RenameColumns({"a", "a"}).ValueOrDie();
  WriteParquet("t.parquet", table);
  const Error error = Refusal(R"({"uri": "t.parquet"})");
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_EQ(error.message, "'t.parquet' has two columns 'a'");
}

TEST_F(BinaryTest, NullabilityIsKeptForOneFileAndWidenedForSeveral) {
  const auto table = TableOf({arrow::field("a", arrow::int64(), false)}, "[[1]]");
  WriteParquet("a.parquet", table);
  WriteParquet("b.parquet", table);
  EXPECT_EQ(Ask(R"({"uri": "a.parquet"})").schema->ToString(), "a: int64 not null");
  EXPECT_EQ(Ask(R"({"uri": "?.parquet"})").schema->ToString(), "a: int64");
}

TEST_F(BinaryTest, EmptyTablesComeBackWithTheirSchema) {
  const auto table = EveryType()->Slice(0, 0);
  WriteParquet("t.parquet", table);
  WriteIpc("t.arrow", table);
  for (const std::string name : {"t.parquet", "t.arrow"}) {
    const Answer answer = Ask(R"({"uri": ")" + name + R"("})");
    ASSERT_TRUE(answer.status.ok()) << answer.status.error().message;
    ExpectSame(*answer.Table(), *table);
  }
}

}  // namespace
}  // namespace sheaf::files
