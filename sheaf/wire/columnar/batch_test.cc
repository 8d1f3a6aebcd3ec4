// PLAN  true sizes are what IPC writes, for slices of every type · dictionaries count once · held
//       bytes are whole buffers, each once · cutting keeps rows, order and the limit, one large row
//       alone, and does not carry unseen view data · gathering keeps rows, order, schema; large
//       ones pass, age and count flush, dictionaries are not mixed · trimming keeps rows
//       · foreign batches are named bad
#include "sheaf/wire/columnar/batch.h"

#include <arrow/api.h>
#include <arrow/ipc/api.h>
#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/columnar/random_batch_test.h"
#include "sheaf/wire/columnar/sizes.h"
#include "sheaf/wire/columnar/trim.h"

namespace sheaf::columnar {
namespace {

using ::testing::HasSubstr;
using testing::AllTypes;
using testing::FromJson;
using testing::OneColumn;
using testing::Random;
using testing::RandomArray;

int64_t BodyBytes(const arrow::RecordBatch& batch) {
  arrow::ipc::IpcPayload payload;
  EXPECT_TRUE(arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(),
                                                &payload)
                  .ok());
  return payload.body_length;
}
int64_t MessageBytes(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  EXPECT_TRUE(arrow::ipc::GetRecordBatchSize(batch, &bytes).ok());
  return bytes;
}
Batch Numbers(int64_t rows, int64_t first = 0) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(first + i).ok());
  return OneColumn(builder.Finish().ValueOrDie());
}
Batch Strings(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return OneColumn(builder.Finish().ValueOrDie());
}
// A string_view column of `rows` values of `size` bytes each.
Batch Views(int64_t rows, size_t size) {
  arrow::StringViewBuilder builder;
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(builder.Append(std::string(size, static_cast<char>('a' + i % 26))).ok());
  }
  return OneColumn(builder.Finish().ValueOrDie());
}
void AppendTo(std::vector<Batch>& out, const Result<std::vector<Batch>>& more) {
  ASSERT_TRUE(more.ok());
  out.insert(out.end(), more->begin(), more->end());
}
std::shared_ptr<arrow::Table> Joined(const std::vector<Batch>& batches) {
  return arrow::Table::FromRecordBatches(batches).ValueOrDie();
}

TEST(TrueBytesTest, AreWhatIpcWritesForSlicesOfEveryType) {
  Random random(7);
  for (const auto& type : AllTypes()) {
    SCOPED_TRACE(type->ToString());
    const auto array = RandomArray(type, 1000, random);
    for (const auto& [offset, length] : {std::pair{0, 1000}, {0, 500}, {333, 600}, {13, 987}}) {
      auto batch = OneColumn(array->Slice(offset, length));
      const Sizes sizes = Measure(*batch);
      if (!sizes.loose) {
        EXPECT_GE(sizes.message_bytes_most(), MessageBytes(*batch));
      }
      if (sizes.wasteful()) batch = *Trim(batch);  // Compare once nothing is unseen.
      EXPECT_EQ(Measure(*batch).rows_bytes, sizes.rows_bytes);
      const int64_t body = BodyBytes(*batch);
      EXPECT_LE(sizes.rows_bytes, body);
      EXPECT_GE(sizes.rows_bytes, body - 64 * sizes.buffers);  // IPC pads some buffers to 64.
    }
  }
}

TEST(TrueBytesTest, GiveABoundThatNoMessageOfASmallSliceExceeds) {
  Random random(8);
  for (const auto& type : AllTypes()) {
    const auto array = RandomArray(type, 2000, random);
    for (int64_t offset = 0; offset <= 2000; offset += 97) {
      for (const int64_t length : {0, 1, 2, 9}) {
        const auto batch = OneColumn(array->Slice(offset, std::min(length, 2000 - offset)));
        if (Measure(*batch).loose) continue;
        EXPECT_GE(Measure(*batch).message_bytes_most(), MessageBytes(*batch)) << type->ToString();
      }
    }
  }
}

TEST(TrueBytesTest, OfASliceAreItsShareOnly) {
  const auto batch = Numbers(100'000);
  EXPECT_EQ(TrueBytes(*batch).count, 800'000);
  EXPECT_EQ(TrueBytes(*batch->Slice(5, 10)).count, 80);
  const auto bits = OneColumn(FromJson(arrow::boolean(), "[true,true,true,true,true,true,true,"
                                                         "true,true,true]"));
  EXPECT_EQ(TrueBytes(*bits->Slice(3, 7)).count, 1);
  const auto strings = Strings({"aaaa", std::string(1000, 'b'), "cc"});
  EXPECT_EQ(TrueBytes(*strings->Slice(2, 1)).count, 2 * 4 + 2);
}

TEST(TrueBytesTest, ADictionarySharedByColumnsCountsOnce) {
  const auto words = FromJson(arrow::utf8(), "[\"" + std::string(1000, 'x') + "\"]");
  const auto indices = FromJson(arrow::int8(), "[0, 0, 0]");
  const auto column =
      arrow::DictionaryArray::FromArrays(indices, words).ValueOrDie();
  const auto schema = arrow::schema({arrow::field("a", column->type()),
                                     arrow::field("b", column->type())});
  const auto batch = arrow::RecordBatch::Make(schema, 3, {column, column->Slice(0)});
  EXPECT_EQ(TrueBytes(*batch).count, 3 + 3 + 1000 + 2 * 4);
  EXPECT_EQ(TrueBytes(*batch->Slice(0, 1)).count, 1 + 1 + 1000 + 2 * 4);
}

TEST(HeldBytesTest, OfASliceAreTheWholeBuffers) {
  const auto batch = Numbers(100'000);
  EXPECT_GE(HeldBytes(*batch).count, 800'000);
  EXPECT_EQ(HeldBytes(*batch->Slice(5, 1)), HeldBytes(*batch));
}

TEST(HeldBytesTest, ABufferHeldTwiceCountsOnce) {
  const auto column = Numbers(1000)->column(0);
  const auto schema = arrow::schema({arrow::field("a", arrow::int64()),
                                     arrow::field("b", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, 500, {column->Slice(0, 500),
                                                            column->Slice(500)});
  EXPECT_EQ(HeldBytes(*batch), HeldBytes(*OneColumn(column)));
}

TEST(HeldBytesTest, OneMemoryInSeveralBuffersCountsOnce) {
  const auto column = Numbers(1000)->column(0);
  auto again = column->data()->Copy();
  const auto& buffer = *column->data()->buffers[1];
  again->buffers[1] = std::make_shared<arrow::Buffer>(buffer.data(), buffer.size());
  const auto schema = arrow::schema({arrow::field("a", arrow::int64()),
                                     arrow::field("b", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, 1000, {column, arrow::MakeArray(again)});
  EXPECT_EQ(HeldBytes(*batch), HeldBytes(*OneColumn(column)));
}

TEST(HeldBytesTest, ABatchReadFromOneMessageHoldsThatMessage) {
  const auto batch = Numbers(1000);
  const auto options = arrow::ipc::IpcWriteOptions::Defaults();
  const auto bytes = arrow::ipc::SerializeRecordBatch(*batch, options).ValueOrDie();
  arrow::io::BufferReader source(bytes);
  arrow::ipc::DictionaryMemo memo;
  const auto read = arrow::ipc::ReadRecordBatch(batch->schema(), &memo,
                                                arrow::ipc::IpcReadOptions::Defaults(), &source)
                        .ValueOrDie();
  EXPECT_EQ(HeldBytes(*read).count, bytes->capacity());
}

TEST(HeldBytesTest, CountsChildrenAndDictionaries) {
  const auto words = FromJson(arrow::utf8(), "[\"" + std::string(5000, 'x') + "\"]");
  const auto column =
      arrow::DictionaryArray::FromArrays(FromJson(arrow::int8(), "[0]"), words).ValueOrDie();
  EXPECT_GE(HeldBytes(*OneColumn(column)).count, 5000);
  const auto lists = FromJson(arrow::list(arrow::utf8()), "[[\"" + std::string(5000, 'y') + "\"]]");
  EXPECT_GE(HeldBytes(*OneColumn(lists)).count, 5000);
}

TEST(CutToLimitTest, WhatFitsIsGivenAsItIs) {
  const auto batch = Numbers(1000);
  const auto cut = CutToLimit(batch);
  ASSERT_EQ(cut->size(), 1u);
  EXPECT_EQ(cut->front(), batch);
  const auto empty = Numbers(0);
  EXPECT_EQ(CutToLimit(empty, 1)->front(), empty);
}

TEST(CutToLimitTest, PiecesKeepRowsOrderAndLimitForEveryType) {
  Random random(9);
  constexpr int64_t kLimit = 2048;
  for (const auto& type : AllTypes()) {
    SCOPED_TRACE(type->ToString());
    const auto batch = OneColumn(RandomArray(type, 3000, random))->Slice(11);
    const auto cut = CutToLimit(batch, kLimit);
    ASSERT_TRUE(cut.ok()) << cut.error().message;
    int64_t at = 0;
    for (const Batch& piece : *cut) {
      EXPECT_LE(MessageBytes(*piece), kLimit);
      ASSERT_TRUE(piece->ValidateFull().ok());
      EXPECT_TRUE(piece->Equals(*batch->Slice(at, piece->num_rows())));
      at += piece->num_rows();
    }
    EXPECT_EQ(at, batch->num_rows());
    const int64_t needed = Measure(*batch).rows_bytes / kLimit;
    EXPECT_LE(static_cast<int64_t>(cut->size()), 4 * needed + 4);
  }
}

TEST(CutToLimitTest, NoRowsOfALargeBatchAreASmallMessage) {
  Random random(13);
  for (const auto& type : AllTypes()) {
    const auto batch = OneColumn(RandomArray(type, 3000, random));
    for (const int64_t offset : {0, 1000}) {
      const auto cut = CutToLimit(batch->Slice(offset, 0), 1500);
      ASSERT_EQ(cut->size(), 1u);
      EXPECT_EQ(cut->front()->num_rows(), 0);
      ASSERT_TRUE(cut->front()->ValidateFull().ok());
      EXPECT_LE(MessageBytes(*cut->front()), 1500) << type->ToString();
    }
  }
}

TEST(CutToLimitTest, PiecesFillTheLimit) {
  const auto cut = CutToLimit(Numbers(4'000'000));
  ASSERT_TRUE(cut.ok());
  EXPECT_LE(cut->size(), 9u);  // 32 MB in pieces of at most 4,128,768 bytes.
  for (const Batch& piece : *cut) EXPECT_LE(MessageBytes(*piece), kMessageBytesMax);
}

TEST(CutToLimitTest, OneRowAboveTheLimitTravelsAlone) {
  std::vector<std::string> values(100, "small");
  values[50] = std::string(100'000, 'x');
  const auto batch = Strings(values);
  const auto cut = CutToLimit(batch, 4096);
  ASSERT_TRUE(cut.ok());
  int64_t at = 0, large = 0;
  for (const Batch& piece : *cut) {
    if (MessageBytes(*piece) > 4096) {
      EXPECT_EQ(piece->num_rows(), 1);
      EXPECT_EQ(at, 50);
      ++large;
    }
    at += piece->num_rows();
  }
  EXPECT_EQ(large, 1);
  EXPECT_EQ(at, 100);
}

TEST(CutToLimitTest, PiecesOfPlainColumnsShareTheirBuffers) {
  const auto batch = Numbers(1'000'000);
  const Bytes held = HeldBytes(*batch);
  const auto cut = CutToLimit(batch);
  for (const Batch& piece : *cut) EXPECT_EQ(HeldBytes(*piece), held);
}

TEST(CutToLimitTest, PiecesOfViewsDoNotCarryWhatTheyDoNotSee) {
  const auto batch = Views(1000, 1000);
  const auto cut = CutToLimit(batch, 100'000);
  ASSERT_TRUE(cut.ok());
  EXPECT_LE(cut->size(), 24u);
  for (const Batch& piece : *cut) EXPECT_LE(MessageBytes(*piece), 100'000);
  EXPECT_TRUE(Joined(*cut)->Equals(*Joined({batch})));
}

TEST(CutToLimitTest, ASmallSliceOfLargeViewsIsCopiedOut) {
  const auto cut = CutToLimit(Views(1000, 10'000)->Slice(10, 5));
  ASSERT_EQ(cut->size(), 1u);
  EXPECT_LT(MessageBytes(*cut->front()), 60'000);
}

TEST(CutToLimitTest, ViewsThatShareBytesAreNotMultiplied) {
  // A thousand views of one value of 20,000 bytes.
  arrow::StringViewBuilder builder;
  ASSERT_TRUE(builder.Append(std::string(20'000, 'x')).ok());
  auto data = builder.Finish().ValueOrDie()->data()->Copy();
  const auto view = *data->GetValues<arrow::BinaryViewType::c_type>(1);
  std::shared_ptr<arrow::Buffer> views = *arrow::AllocateBuffer(1000 * sizeof(view));
  for (int i = 0; i < 1000; ++i) {
    views->mutable_data_as<arrow::BinaryViewType::c_type>()[i] = view;
  }
  data->buffers[1] = views;
  data->length = 1000;
  const auto batch = OneColumn(arrow::MakeArray(data));
  ASSERT_TRUE(batch->ValidateFull().ok());
  EXPECT_LE(TrueBytes(*batch).count, 1000 * 16 + 20'000);
  const auto cut = CutToLimit(batch, 30'000);
  EXPECT_LE(cut->size(), 5u);
  for (const Batch& piece : *cut) EXPECT_LE(MessageBytes(*piece), 30'000);
}

TEST(TrimTest, KeepsTheRowsOfSlicesOfEveryTypeAndNothingElse) {
  Random random(12);
  for (const auto& type : AllTypes()) {
    SCOPED_TRACE(type->ToString());
    const auto array = RandomArray(type, 200, random);
    for (const auto& [offset, length] : {std::pair{0, 200}, {0, 0}, {0, 50}, {77, 0}, {77, 100},
                                         {199, 1}}) {
      const auto slice = OneColumn(array->Slice(offset, length));
      const auto trimmed = Trim(slice);
      ASSERT_TRUE(trimmed.ok()) << trimmed.error().message;
      ASSERT_TRUE((*trimmed)->ValidateFull().ok()) << (*trimmed)->ValidateFull().ToString();
      EXPECT_TRUE((*trimmed)->Equals(*slice));
      Sizes least = Measure(*slice);
      least.view_bytes_whole = std::min(least.view_bytes, least.view_bytes_whole);
      least.idle_bytes = 0;
      EXPECT_LE(MessageBytes(**trimmed), least.message_bytes_most());
    }
  }
}

TEST(TrimTest, ViewsThatShareBytesAreNotCopiedApart) {
  const auto one = Views(1, 20'000);
  auto data = one->column_data(0)->Copy();
  const auto view = *data->GetValues<arrow::BinaryViewType::c_type>(1);
  std::shared_ptr<arrow::Buffer> views = *arrow::AllocateBuffer(100 * sizeof(view));
  for (int i = 0; i < 100; ++i) views->mutable_data_as<arrow::BinaryViewType::c_type>()[i] = view;
  data->buffers[1] = views;
  data->length = 100;
  const auto shared = OneColumn(arrow::MakeArray(data));
  EXPECT_LT(HeldBytes(**Trim(shared)).count, 30'000);
}

TEST(TrimTest, ColumnsWithoutLooseTypesKeepTheirBuffers) {
  const auto batch = Numbers(1000)->Slice(10, 10);
  EXPECT_EQ((*Trim(batch))->column_data(0)->buffers[1], batch->column_data(0)->buffers[1]);
}

constexpr Instant kStart = Instant(Duration(1'000'000'000));

TEST(GathererTest, SmallBatchesBecomeOneOfTheSameRows) {
  Gatherer gatherer;
  std::vector<Batch> in;
  for (int i = 0; i < 10; ++i) {
    in.push_back(Numbers(100, 100 * i));
    EXPECT_TRUE(gatherer.Add(in.back(), kStart)->empty());
  }
  EXPECT_FALSE(gatherer.empty());
  const auto out = gatherer.Flush();
  ASSERT_EQ(out->size(), 1u);
  EXPECT_TRUE(Joined(*out)->Equals(*Joined(in)));
  EXPECT_TRUE(gatherer.empty());
  EXPECT_TRUE(gatherer.Flush()->empty());
}

TEST(GathererTest, WhatIsReadyIsAtMostTheTarget) {
  Gatherer gatherer(10'000_B);
  std::vector<Batch> in, out;
  for (int i = 0; i < 100; ++i) {
    in.push_back(Numbers(1 + 37 * i % 400, i));
    AppendTo(out, gatherer.Add(in.back(), kStart));
  }
  AppendTo(out, gatherer.Flush());
  EXPECT_TRUE(Joined(out)->Equals(*Joined(in), false));
  EXPECT_LT(out.size(), 50u);
  for (size_t i = 0; i < out.size(); ++i) EXPECT_LE(TrueBytes(*out[i]).count, 10'000);
}

TEST(GathererTest, HalfTheTargetPassesUntouchedAfterWhatWasBefore) {
  Gatherer gatherer(10'000_B);
  const auto small = Numbers(10);
  const auto large = Numbers(625);
  EXPECT_TRUE(gatherer.Add(small, kStart)->empty());
  const auto out = gatherer.Add(large, kStart);
  ASSERT_EQ(out->size(), 2u);
  EXPECT_EQ((*out)[0], small);
  EXPECT_EQ((*out)[1], large);
}

TEST(GathererTest, WhatIsHeldIsDueWhenItsFirstBatchIsOldEnough) {
  Gatherer gatherer;
  EXPECT_TRUE(gatherer.Due(kStart + kGatherWait)->empty());
  (void)gatherer.Add(Numbers(1), kStart);
  (void)gatherer.Add(Numbers(1), kStart + kGatherWait / 2);
  EXPECT_TRUE(gatherer.Due(kStart + kGatherWait - Duration(1))->empty());
  EXPECT_EQ(gatherer.Due(kStart + kGatherWait)->size(), 1u);
  (void)gatherer.Add(Numbers(1), kStart + kGatherWait);
  EXPECT_TRUE(gatherer.Due(kStart + kGatherWait)->empty());
}

TEST(GathererTest, DoesNotHoldBatchesWithoutEnd) {
  Gatherer gatherer;
  const auto none = Numbers(0);
  size_t out = 0;
  for (int i = 0; i < 10'000; ++i) out += gatherer.Add(none, kStart)->size();
  EXPECT_GE(out, 2u);
}

TEST(GathererTest, EveryTypeIsGatheredWithItsSchema) {
  Random random(10);
  for (const auto& type : AllTypes()) {
    if (type->id() == arrow::Type::DICTIONARY) continue;  // Their dictionaries differ.
    SCOPED_TRACE(type->ToString());
    const auto batch = OneColumn(RandomArray(type, 50, random));
    Gatherer gatherer;
    const std::vector<Batch> in = {batch->Slice(3, 20), batch->Slice(23, 1), batch->Slice(24)};
    for (const auto& part : in) EXPECT_TRUE(gatherer.Add(part, kStart)->empty());
    const auto out = gatherer.Flush();
    ASSERT_TRUE(out.ok()) << out.error().message;
    ASSERT_EQ(out->size(), 1u);
    EXPECT_TRUE(out->front()->schema()->Equals(*batch->schema(), true));
    ASSERT_TRUE(out->front()->ValidateFull().ok());
    EXPECT_TRUE(out->front()->Equals(*batch->Slice(3)));
  }
}

TEST(GathererTest, BatchesOfDifferentDictionariesAreNotMerged) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto batch = [&](const char* words) {
    return OneColumn(arrow::DictionaryArray::FromArrays(type, FromJson(arrow::int8(), "[0, 1, 0]"),
                                                        FromJson(arrow::utf8(), words))
                         .ValueOrDie());
  };
  const auto ab = batch(R"(["a", "b"])"), ab_again = batch(R"(["a", "b"])");
  const auto cd = batch(R"(["c", "d"])");
  Gatherer gatherer;
  EXPECT_TRUE(gatherer.Add(ab, kStart)->empty());
  EXPECT_TRUE(gatherer.Add(ab->Slice(1), kStart)->empty());
  EXPECT_TRUE(gatherer.Add(ab_again, kStart)->empty());
  const auto out = gatherer.Add(cd, kStart);
  ASSERT_EQ(out->size(), 1u);
  EXPECT_EQ(out->front()->num_rows(), 8);
  EXPECT_TRUE(Joined(*out)->Equals(*Joined({ab, ab->Slice(1), ab_again}), false));
  EXPECT_EQ(gatherer.Flush()->front(), cd);
}

TEST(GathererTest, MergedViewsDoNotHoldWhatTheyDoNotSee) {
  Gatherer gatherer;
  const auto large = Views(1000, 1000);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(gatherer.Add(large->Slice(50 * i, 1), kStart)->empty());
  const auto out = gatherer.Flush();
  EXPECT_EQ(out->front()->num_rows(), 10);
  EXPECT_LT(HeldBytes(*out->front()).count, 20'000);
  EXPECT_TRUE(out->front()->Slice(3, 1)->Equals(*large->Slice(150, 1)));
}

TEST(ValidateForeignTest, AGoodBatchOfEveryTypePasses) {
  Random random(11);
  for (const auto& type : AllTypes()) {
    const auto status = ValidateForeign(*OneColumn(RandomArray(type, 20, random))->Slice(3, 9));
    EXPECT_TRUE(status.ok()) << type->ToString();
  }
}

TEST(ValidateForeignTest, ABadColumnIsNamed) {
  auto data = FromJson(arrow::utf8(), R"(["a", "b"])")->data()->Copy();
  data->buffers[1] = arrow::Buffer::FromString(std::string("\0\0\0\0\x7f\0\0\0\x02\0\0\0", 12));
  const auto torn = OneColumn(arrow::MakeArray(data));
  const auto status = ValidateForeign(*torn);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, Kind::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("column 0 'c'"));
}

TEST(ValidateForeignTest, TextThatIsNotUtf8IsRefused) {
  auto data = FromJson(arrow::utf8(), R"(["a"])")->data()->Copy();
  data->buffers[2] = arrow::Buffer::FromString("\xff");
  EXPECT_FALSE(ValidateForeign(*OneColumn(arrow::MakeArray(data))).ok());
}

TEST(ValidateForeignTest, ColumnsMustFitTheSchemaAndTheRows) {
  const auto three = FromJson(arrow::int64(), "[1, 2, 3]");
  const auto schema = arrow::schema({arrow::field("a", arrow::int64())});
  const auto longer = arrow::RecordBatch::Make(schema, 2, {three->data()});
  EXPECT_THAT(ValidateForeign(*longer).error().message, HasSubstr("has 3 rows, the batch 2"));
  const auto other = arrow::schema({arrow::field("a", arrow::int32())});
  const auto wider = arrow::RecordBatch::Make(other, 3, {three->data()});
  EXPECT_THAT(ValidateForeign(*wider).error().message,
              HasSubstr("is int64, the schema says int32"));
}

}  // namespace
}  // namespace sheaf::columnar
