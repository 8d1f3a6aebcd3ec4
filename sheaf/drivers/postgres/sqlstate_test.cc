// PLAN  each kind of failure by its code, by its class, and unknown ones · a lost connection is
//       unsure only while committing · what may come back, and what met another transaction
#include "sheaf/drivers/postgres/sqlstate.h"

#include <gtest/gtest.h>

namespace sheaf::postgres {
namespace {

Kind KindOf(std::string_view sqlstate) { return MeaningOf(sqlstate, Phase::kInTransaction).kind; }

TEST(SqlstateTest, CodesAndClassesHaveTheirKind) {
  EXPECT_EQ(KindOf("22021"), Kind::kInvalid);
  EXPECT_EQ(KindOf("23505"), Kind::kConflict);
  EXPECT_EQ(KindOf("25006"), Kind::kForbidden);
  EXPECT_EQ(KindOf("25P02"), Kind::kInternal);
  EXPECT_EQ(KindOf("25P03"), Kind::kDeadline);
  EXPECT_EQ(KindOf("28P01"), Kind::kUnauthenticated);
  EXPECT_EQ(KindOf("3D000"), Kind::kNotReady);
  EXPECT_EQ(KindOf("40001"), Kind::kBackpressure);
  EXPECT_EQ(KindOf("40P01"), Kind::kBackpressure);
  EXPECT_EQ(KindOf("42501"), Kind::kForbidden);
  EXPECT_EQ(KindOf("42601"), Kind::kInternal);
  EXPECT_EQ(KindOf("42P01"), Kind::kNotReady);
  EXPECT_EQ(KindOf("53100"), Kind::kExhausted);
  EXPECT_EQ(KindOf("53300"), Kind::kBackpressure);
  EXPECT_EQ(KindOf("54000"), Kind::kExhausted);
  EXPECT_EQ(KindOf("55P03"), Kind::kBackpressure);
  EXPECT_EQ(KindOf("57014"), Kind::kDeadline);
  EXPECT_EQ(KindOf("57P01"), Kind::kDependency);
  EXPECT_EQ(KindOf("58030"), Kind::kDependency);
  EXPECT_EQ(KindOf("XX000"), Kind::kInternal);
  EXPECT_EQ(KindOf("XX001"), Kind::kCorrupt);
  EXPECT_EQ(KindOf("0A000"), Kind::kUnsupported);
  EXPECT_EQ(KindOf(""), Kind::kDependency);
  EXPECT_EQ(KindOf("08006"), Kind::kDependency);
  EXPECT_EQ(KindOf("Q9000"), Kind::kInternal);
  EXPECT_EQ(KindOf("2"), Kind::kInternal);
}

TEST(SqlstateTest, OnlyALostCommitIsUnsure) {
  const auto effect = [](std::string_view sqlstate, Phase phase) {
    return MeaningOf(sqlstate, phase).effect;
  };
  for (const char* lost : {"", "08006", "57P01", "57P02", "57P05", "40003"}) {
    EXPECT_EQ(effect(lost, Phase::kCommitting), Effect::kUnknown) << lost;
    EXPECT_EQ(effect(lost, Phase::kInTransaction), Effect::kNone) << lost;
    EXPECT_EQ(effect(lost, Phase::kConnecting), Effect::kNone) << lost;
  }
  for (const char* said : {"23505", "40001", "53100", "57014"}) {
    EXPECT_EQ(effect(said, Phase::kCommitting), Effect::kNone) << said;
  }
}

TEST(SqlstateTest, WhatIsNotForTheMomentIsNotTriedAgain) {
  for (const char* passing : {"", "08001", "53300", "57P01", "57P02", "57P03"}) {
    EXPECT_TRUE(MayComeBack(passing)) << passing;
  }
  for (const char* lasting : {"28P01", "28000", "3D000", "0A000", "57P04"}) {
    EXPECT_FALSE(MayComeBack(lasting)) << lasting;
  }
  EXPECT_TRUE(MetAnother("40P01"));
  EXPECT_FALSE(MetAnother("23503"));
}

}  // namespace
}  // namespace sheaf::postgres
