// PLAN  records name columns at compile time · private columns are not shown · rows go to JSON and
//       back unchanged: extremes, quotes, NUL, empty against absent · what does not fit is refused
//       and named · schemas leave private columns out
#include "sheaf/wire/records/row.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "sheaf/wire/records/arrow_schema.h"
#include "sheaf/wire/records/row_json.h"
#include "sheaf/wire/records/tables.h"
#include "testkit/seed.h"

namespace sheaf::records {
namespace {

TEST(RecordTest, ColumnsAreNamedAsApplicationsDo) {
  Record<kProcesses> process;
  process.Set<"ducc_id">(int64_t{1} << 62).Set<"class">("normal").Set<"gc_count">(3);
  EXPECT_EQ(process.Get<"class">(), "normal");
  EXPECT_EQ(std::get<std::string>(process.row().At("class")), "normal");
  Record<kSmmeta> state;
  state.Set<"service-state">("Available");
  EXPECT_EQ(std::get<std::string>(state.row().At("service-state")), "Available");
  EXPECT_EQ(process.Find<"user">(), nullptr);
  EXPECT_EQ(process.Get<"user">(), "");
  process.Set<"user">("");
  ASSERT_NE(process.Find<"user">(), nullptr);
  EXPECT_NE(process, Record<kProcesses>());
  process.Clear<"user">();
  EXPECT_EQ(process.Find<"user">(), nullptr);
}

TEST(RecordTest, PrivateColumnsAreNotShown) {
  Row row(kSmreg);
  row.At("numeric_id") = std::string("7");
  row.At("description") = std::string("shown");
  EXPECT_EQ(ToJson(row).dump(), R"({"description":"shown"})");
  const auto record = Record<kSmreg>::Of(row);
  EXPECT_EQ(record.Get<"description">(), "shown");
  EXPECT_TRUE(std::holds_alternative<Absent>(record.row().At("numeric_id")));
  EXPECT_FALSE(RowFromJson(kSmreg, Json{{"numeric_id", "7"}}).ok());
}

TEST(RowTest, CheckNamesWhatDoesNotFit) {
  Row row(kOrprops);
  EXPECT_NE(row.Check().error().message.find("orprops.name"), std::string::npos);
  row.At("name") = std::string("a");
  EXPECT_TRUE(row.Check().ok());
  row.At("value") = int64_t{1};
  EXPECT_NE(row.Check().error().message.find("orprops.value"), std::string::npos);
}

TEST(RowTest, TextsAreUtf8) {
  for (const auto* text : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8C\xBE"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const auto* text : {"\xC3", "\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                           "\xE2\x82x", "\xFF", "a\xE2\x82"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
  Row row(kOrprops);
  row.At("name") = std::string("\xFF");
  EXPECT_NE(row.Check().error().message.find("not UTF-8"), std::string::npos);
}

TEST(RowJsonTest, ExtremesSurvive) {
  Row row(kProcesses);
  row.At("ducc_id") = std::numeric_limits<int64_t>::min();
  row.At("share_id") = std::numeric_limits<int64_t>::max();
  row.At("memory") = std::numeric_limits<int32_t>::min();
  row.At("user") = std::string("'; drop table \"jobs\"; --\n${user.home}\xC3\xA9");
  row.At("log") = std::string("a\0b", 3);
  row.At("host") = std::string();
  row.At("initialized") = false;
  const std::string text = ToJson(row).dump();
  const auto back = RowFromJson(kProcesses, command::ParseJson(text).value());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, row);
}

TEST(RowJsonTest, BlobsAndUuidsSurvive) {
  Row row(kOrckpt);
  row.At("id") = 0;
  row.At("work") = Blob{std::string("\0\xFF\x80 three", 9)};
  row.At("p2jmap") = Blob{};
  EXPECT_EQ(RowFromJson(kOrckpt, ToJson(row)).value(), row);
  Row share(kRmshares);
  Uuid uuid;
  for (size_t i = 0; i < 16; ++i) uuid.bytes[i] = static_cast<uint8_t>(i * 17);
  share.At("uuid") = uuid;
  EXPECT_EQ(ToText(uuid), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(RowFromJson(kRmshares, ToJson(share)).value(), share);
}

TEST(RowJsonTest, WhatDoesNotFitIsRefusedAndNamed) {
  const auto refused = [](const Table& table, Json json) {
    const auto row = RowFromJson(table, json);
    EXPECT_FALSE(row.ok()) << json;
    return row.ok() ? std::string() : row.error().message;
  };
  EXPECT_EQ(refused(kJobs, {{"memory", int64_t{1} << 31}}), "jobs.memory must be a integer");
  EXPECT_EQ(refused(kJobs, {{"user", 1}}), "jobs.user must be a string");
  EXPECT_NE(refused(kJobs, {{"usr", "x"}}).find("did you mean 'user'"), std::string::npos);
  EXPECT_NE(refused(kOrckpt, {{"work", {{"base64", "AB=C"}}}}).find("orckpt.work"),
            std::string::npos);
  EXPECT_NE(refused(kRmshares, {{"uuid", "no"}}).find("rmshares.uuid"), std::string::npos);
  EXPECT_NE(refused(kJobs, Json::array()).find("jobs"), std::string::npos);
}

TEST(Base64Test, RandomBytesSurviveAndOtherTextIsRefused) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(FromBase64(ToBase64(bytes)).value(), bytes);
  }
  EXPECT_EQ(ToBase64("any"), "YW55");
  EXPECT_EQ(ToBase64("an"), "YW4=");
  for (const auto* text : {"A", "AB=", "A===", "====", "AB==AAAA", "AB!=", "YW5="}) {
    EXPECT_FALSE(FromBase64(text).ok()) << text;
  }
}

TEST(ArrowSchemaTest, LeavesPrivateColumnsOutAndSaysPnames) {
  const auto registry = ArrowSchema(kSmreg);
  EXPECT_EQ(registry->GetFieldByName("numeric_id"), nullptr);
  EXPECT_EQ(registry->GetFieldByName("uuid"), nullptr);
  EXPECT_NE(registry->GetFieldByName("description"), nullptr);
  const auto schema = ArrowSchema(kRmshares);
  EXPECT_EQ(schema->num_fields(), 15);
  EXPECT_TRUE(schema->GetFieldByName("uuid")->type()->Equals(arrow::fixed_size_binary(16)));
  EXPECT_EQ(schema->GetFieldByName("ducc_dbid")->metadata()->Get("key").ValueOrDie(), "2");
  EXPECT_FALSE(schema->GetFieldByName("ducc_dbid")->nullable());
  EXPECT_EQ(ArrowSchema(kSmmeta)->GetFieldByName("last_use")->metadata()->Get("pname").ValueOrDie(),
            "last-use");
  EXPECT_EQ(schema->metadata()->Get("table").ValueOrDie(), "rmshares");
  for (const Table* table : {&kJobHistory, &kOrckpt}) {
    const auto schema_of = ArrowSchema(*table);
    for (const auto& field : schema_of->fields()) {
      EXPECT_TRUE(table->Place(field->name()).has_value()) << field->name();
    }
  }
}

}  // namespace
}  // namespace sheaf::records
