// PLAN  a sealed ticket opens to what was sealed · any changed, missing or added byte is refused,
//       always with the same words · another key is refused · tickets are not taken for JSON
//       · SHA-256 and HMAC give the published values
#include "sheaf/wire/command/ticket.h"

#include <gtest/gtest.h>

#include <string>

namespace sheaf::command {
namespace {

const std::string kKey(TicketBox::kKeyBytes, 'k');

Ticket Full() {
  Ticket ticket;
  ticket.node.text = "node-1";
  ticket.generation = 0xFEDCBA9876543210;
  ticket.partition = 0x89ABCDEF;
  ticket.path = *Path::Make({"raw", "orders"});
  ticket.task.text = "t";
  ticket.interest.text = "i";
  ticket.principal = "somebody";
  return ticket;
}

TEST(TicketTest, ASealedTicketOpensToWhatWasSealed) {
  const TicketBox box(kKey);
  const auto opened = box.Open(box.Seal(Full()));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->node, Full().node);
  EXPECT_EQ(opened->generation, Full().generation);
  EXPECT_EQ(opened->partition, Full().partition);
  EXPECT_EQ(opened->path, Full().path);
  EXPECT_EQ(opened->task, Full().task);
  EXPECT_EQ(opened->interest, Full().interest);
  EXPECT_EQ(opened->principal, Full().principal);
}

TEST(TicketTest, ATicketOfAnUnnamedResultHasNoPath) {
  const TicketBox box(kKey);
  const auto opened = box.Open(box.Seal(Ticket{}));
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(opened->path.empty());
  EXPECT_TRUE(opened->task.empty());
}

TEST(TicketTest, AnyChangeOfAnyByteIsRefusedInTheSameWords) {
  const TicketBox box(kKey);
  const std::string sealed = box.Seal(Full());
  const Error refused = box.Open("").error();
  EXPECT_EQ(refused.kind, Kind::kInvalidTicket);
  for (size_t i = 0; i < sealed.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = sealed;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto opened = box.Open(changed);
      ASSERT_FALSE(opened.ok()) << i;
      EXPECT_EQ(opened.error().message, refused.message);
    }
    ASSERT_FALSE(box.Open(sealed.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(box.Open(sealed + "x").ok());
  EXPECT_FALSE(box.Open(std::string(100'000, 'x')).ok());
}

TEST(TicketTest, ATicketOfAnotherKeyIsRefused) {
  EXPECT_FALSE(TicketBox(std::string(32, 'j')).Open(TicketBox(kKey).Seal(Full())).ok());
}

TEST(TicketTest, ATicketIsNeverTakenForJson) {
  EXPECT_NE(TicketBox(kKey).Seal(Full()).front(), '{');
}

TEST(TicketDeathTest, AKeyOfAnotherSizeIsOurOwnMistake) {
  EXPECT_DEATH(TicketBox("short"), "check failed");
}

TEST(Sha256Test, GivesThePublishedValue) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(core::ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace sheaf::command
