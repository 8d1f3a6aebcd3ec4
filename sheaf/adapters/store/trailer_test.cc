// PLAN  a trailer comes back · names of files come back and nothing else is one · lengths, kinds
//       and places that cannot be are refused
#include "sheaf/adapters/store/trailer.h"

#include <gtest/gtest.h>

namespace sheaf::store {
namespace {

Trailer Sample() {
  Trailer trailer{{1025, 7}, {}};
  trailer.blocks.push_back({Block::Kind::kSchema, 120, 0, 0, 0, 11});
  trailer.blocks.push_back({Block::Kind::kDictionary, 56, 128, 64, 0, 22});
  trailer.blocks.push_back({Block::Kind::kBatch, 120, 256, 640, 80, 33});
  return trailer;
}

Result<Trailer> Parse(const Trailer& trailer, uint64_t gap = kStreamEndBytes) {
  const std::string bytes = EncodeTrailer(trailer);
  return ParseTrailer(bytes, trailer.blocks.back().end() + gap + bytes.size());
}

TEST(TrailerTest, ComesBack) {
  const auto parsed = Parse(Sample());
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(*parsed, Sample());
  const std::string bytes = EncodeTrailer(Sample());
  EXPECT_EQ(TrailerBytes(std::string_view(bytes).substr(bytes.size() - kTrailerFooterBytes), 5000)
                .value(),
            bytes.size());
}

TEST(TrailerTest, BlocksThatDoNotLieOneBehindAnotherAreCorrupt) {
  const auto broken = [](auto change) {
    Trailer trailer = Sample();
    change(trailer);
    const auto parsed = Parse(trailer);
    EXPECT_FALSE(parsed.ok());
    if (!parsed.ok()) {
      EXPECT_EQ(parsed.error().kind, Kind::kCorrupt);
    }
  };
  broken([](Trailer& t) { t.blocks[1].offset += 8; });
  broken([](Trailer& t) { t.blocks[1].body_bytes = UINT64_MAX - 8; });
  broken([](Trailer& t) { t.blocks[2].rows = -1; });
  broken([](Trailer& t) { t.blocks[0].kind = Block::Kind::kBatch; });
  broken([](Trailer& t) { t.blocks[2].kind = Block::Kind::kSchema; });
  broken([](Trailer& t) { t.blocks[2].kind = static_cast<Block::Kind>(9); });
  EXPECT_FALSE(Parse(Sample(), kStreamEndBytes + 8).ok());
}

TEST(TrailerTest, NamesOfFilesComeBackAndNothingElseIsOne) {
  for (const FileName name :
       {FileName{1, 0}, FileName{0x401, 17}, FileName{UINT64_MAX, UINT32_MAX}}) {
    EXPECT_EQ(FileName::Parse(name.Text()), name);
  }
  EXPECT_EQ((FileName{1025, 0}.Text()), "0000000000000401-0.arrows");
  for (const char* text : {"", "LOCK", "index.sqlite", "401-0.arrows", "0000000000000401.arrows",
                           "0000000000000401-0.arrow", "0000000000000401-.arrows",
                           "0000000000000401-00.arrows", "000000000000040G-0.arrows",
                           "0000000000000401-0.arrows~", "-0000000000000401-0.arrows"}) {
    EXPECT_FALSE(FileName::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace sheaf::store
