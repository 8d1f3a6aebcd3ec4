// PLAN  batches of every type survive, compressed and not · dictionaries are replaced · a batch
//       before its schema, a message without header, a dictionary without its batch, two schemas,
//       short bodies and lying buffers are kInvalid · a message that decompresses to more than it
//       may is kExhausted, and gives back what it took · decoded buffers outlive their decoder
#include "sheaf/drivers/flight/batch_codec.h"

#include <gtest/gtest.h>

#include "sheaf/drivers/flight/every_type_test.h"
#include "sheaf/drivers/flight/raw_client_test.h"

namespace sheaf::flight {
namespace {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

FlightData DataOf(const std::string& message) { return Decode(BufferOf(message)).value(); }

DecodePool::Handle Pool(Bytes limit = 64_MiB, std::shared_ptr<Account> account = nullptr) {
  return DecodePool::Make(limit, std::move(account));
}

Result<std::unique_ptr<BatchDecoder>> OpenWith(const std::string& message,
                                               DecodePool::Handle pool = Pool()) {
  return BatchDecoder::Open(DataOf(message), std::move(pool));
}

// All batches of a stream, or the first error.
Result<Batches> ReadAll(const std::vector<std::string>& messages,
                        DecodePool::Handle pool = Pool()) {
  SHEAF_ASSIGN(auto decoder, OpenWith(messages.front(), std::move(pool)));
  Batches batches;
  for (size_t i = 1; i < messages.size(); ++i) {
    SHEAF_ASSIGN(FlightData data, Decode(BufferOf(messages[i])));
    SHEAF_ASSIGN(auto decoded, decoder->Read(std::move(data)));
    if (decoded.what == Decoded::What::kBatch) batches.push_back(decoded.batch);
  }
  return batches;
}

std::shared_ptr<arrow::RecordBatch> WordsBatch(const std::vector<std::string>& words) {
  return OneColumn(Words(arrow::dictionary(arrow::int32(), arrow::utf8()), words, {0, -1, 0}));
}

std::vector<std::string> WordsMessages() {
  const auto batch = WordsBatch({"a", "b"});
  return MessagesOf(batch->schema(), {batch}, "x");
}

template <typename T>
void ExpectInvalid(const Result<T>& result, std::string_view part) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, Kind::kInvalid);
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
}

TEST(BatchCodecTest, EveryTypeSurvives) {
  for (const auto compression : {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    for (const auto& [name, batches] : EveryType()) {
      SCOPED_TRACE(name);
      const auto messages = MessagesOf(batches.front()->schema(), batches, "x", compression);
      const auto read = ReadAll(messages);
      ASSERT_TRUE(read.ok()) << read.error().message;
      ASSERT_EQ(read->size(), batches.size());
      for (size_t i = 0; i < batches.size(); ++i) {
        EXPECT_TRUE((*read)[i]->Equals(*batches[i], true)) << (*read)[i]->ToString();
      }
    }
  }
}

TEST(BatchCodecTest, SchemaMetadataRidesOnTheSchema) {
  const auto schema = arrow::schema({arrow::field("c", arrow::int32())},
                                    arrow::key_value_metadata({"key"}, {"value"}));
  auto encoder = BatchEncoder::Open(schema, Compression::kNone, "first").value();
  const auto data = Decode(encoder->Pop()).value();
  EXPECT_EQ(TextOf(data.app_metadata), "first");
  EXPECT_TRUE(encoder->empty());
  const auto decoder = BatchDecoder::Open(data, Pool()).value();
  EXPECT_TRUE(decoder->schema()->Equals(*schema, true));
}

TEST(BatchCodecTest, BatchOfAnotherSchemaIsADefect) {
  auto encoder = BatchEncoder::Open(arrow::schema({}), Compression::kNone, {}).value();
  const auto status = encoder->Write(*WordsBatch({"a"}));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, Kind::kInternal);
}

TEST(BatchCodecTest, BatchBeforeItsSchemaIsInvalid) {
  const auto messages = WordsMessages();
  ExpectInvalid(OpenWith(messages[1]), "schema");
  ExpectInvalid(OpenWith(messages[2]), "schema");
  ExpectInvalid(OpenWith(Field(3, "metadata alone")), "schema");
}

TEST(BatchCodecTest, GarbageHeaderIsInvalid) {
  FlightData data;
  data.header = arrow::Buffer::FromString("garbage that is no flatbuffer");
  ExpectInvalid(BatchDecoder::Open(data, Pool()), "IPC message");
}

TEST(BatchCodecTest, BatchWithoutItsDictionaryIsInvalid) {
  const auto messages = WordsMessages();
  ExpectInvalid(ReadAll({messages[0], messages[2]}), "record batch");
}

TEST(BatchCodecTest, SecondSchemaIsInvalid) {
  const auto messages = WordsMessages();
  ExpectInvalid(ReadAll({messages[0], messages[0]}), "middle");
}

// Each of these crashes Arrow's own server.
TEST(BatchCodecTest, MessageWithoutHeaderAfterADictionaryIsInvalid) {
  const auto messages = WordsMessages();
  for (const auto& third : {std::string(), Field(3, "hi"), std::string("\xc2\x3e\x01z", 4),
                            std::string("\x7a\x01z", 3)}) {
    ExpectInvalid(ReadAll({messages[0], messages[1], third}), "");
  }
}

TEST(BatchCodecTest, MetadataAloneIsPassedOn) {
  const auto messages = WordsMessages();
  auto decoder = OpenWith(messages[0]).value();
  auto alone = decoder->Read(DataOf(Field(3, "alone")));
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(alone->what, Decoded::What::kMetadata);
  EXPECT_EQ(alone->app_metadata, "alone");
  EXPECT_EQ(decoder->Read(DataOf(messages[1]))->what, Decoded::What::kDictionary);
  const auto with = decoder->Read(DataOf(messages[2] + Field(3, "with")));
  ASSERT_TRUE(with.ok());
  EXPECT_EQ(with->app_metadata, "with");
  EXPECT_EQ(with->batch->num_rows(), 3);
  EXPECT_TRUE(decoder->Read(DataOf(Field(3, "after"))).ok());
}

TEST(BatchCodecTest, BodyShorterThanItsHeaderSaysIsInvalid) {
  const auto messages = WordsMessages();
  for (const size_t cut : {1, 8, 16}) {
    arrow::flight::protocol::FlightData data;
    ASSERT_TRUE(data.ParseFromString(messages[2]));
    data.mutable_data_body()->resize(data.data_body().size() - cut);
    ExpectInvalid(ReadAll({messages[0], messages[1], data.SerializeAsString()}), "shorter");
  }
}

TEST(BatchCodecTest, LyingBuffersAreInvalid) {
  const auto batch = OneColumn(FromJson(arrow::utf8(), R"(["abc", "defgh"])"));
  const auto messages = MessagesOf(batch->schema(), {batch}, "x");
  arrow::flight::protocol::FlightData data;
  ASSERT_TRUE(data.ParseFromString(messages[1]));
  auto& body = *data.mutable_data_body();
  const auto last_offset = body.find(std::string("\x08\0\0\0", 4));
  ASSERT_NE(last_offset, std::string::npos);
  body[last_offset] = 0x7f;  // The last text ends far beyond its buffer.
  ExpectInvalid(ReadAll({messages[0], data.SerializeAsString()}), "not valid");
  body[last_offset] = 8;
  body[body.find("abc")] = static_cast<char>(0xff);  // No UTF-8.
  ExpectInvalid(ReadAll({messages[0], data.SerializeAsString()}), "not valid");
}

TEST(BatchCodecTest, BatchOfTooManyRowsIsInvalid) {
  const auto batch = OneColumn(std::make_shared<arrow::NullArray>(int64_t{1} << 40));
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.allow_64bit = true;
  arrow::ipc::IpcPayload payload;
  ASSERT_TRUE(arrow::ipc::GetRecordBatchPayload(*batch, options, &payload).ok());
  const auto messages = MessagesOf(batch->schema(), {}, "x");
  ExpectInvalid(ReadAll({messages[0], BytesOf(Encode(payload).value())}), "rows");
}

TEST(BatchCodecTest, EndlessDictionariesAreInvalid) {
  const auto messages = WordsMessages();
  auto decoder = OpenWith(messages[0]).value();
  Status status = Done();
  for (int i = 0; i < 20'000 && status.ok(); ++i) {
    const auto decoded = decoder->Read(DataOf(messages[1]));
    if (!decoded.ok()) status = decoded.error();
  }
  ExpectInvalid(status, "without a record batch");
}

TEST(BatchCodecTest, WhatDecompressesToTooMuchIsExhausted) {
  arrow::Int64Builder zeros;
  ASSERT_TRUE(zeros.AppendEmptyValues(1'000'000).ok());
  const auto batch = OneColumn(zeros.Finish().ValueOrDie());
  const auto messages = MessagesOf(batch->schema(), {batch}, "x", Compression::kZstd);
  ASSERT_LT(messages[1].size(), 100'000);
  EXPECT_TRUE(ReadAll(messages).ok());
  const auto refused = ReadAll(messages, Pool(7_MiB));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kExhausted);
  auto account = Account::Root("test", 7_MiB);
  EXPECT_EQ(ReadAll(messages, Pool(64_MiB, account)).error().kind, Kind::kExhausted);
  EXPECT_EQ(account->used(), 0_B);
}

TEST(BatchCodecTest, DecompressedBytesAreChargedUntilDelivered) {
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendEmptyValues(100'000).ok());
  const auto large = OneColumn(builder.Finish().ValueOrDie());
  const auto messages = MessagesOf(large->schema(), {large}, "x", Compression::kLz4);
  auto account = Account::Root("test", {});
  auto decoder = OpenWith(messages[0], Pool(64_MiB, account)).value();
  auto decoded = decoder->Read(DataOf(messages[1]));
  ASSERT_TRUE(decoded.ok());
  EXPECT_GE(account->used(), Bytes{800'000});
  decoder->Delivered();
  EXPECT_EQ(account->used(), 0_B);
  decoder.reset();  // The batch's buffers are the pool's, which must be there to free them.
  EXPECT_TRUE(decoded->batch->Equals(*large));
}

}  // namespace
}  // namespace sheaf::flight
