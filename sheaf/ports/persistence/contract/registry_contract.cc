// PLAN  both halves are stored or none · a half becomes exactly what it is updated to · archiving
//       keeps the last properties · live and archived are apart · archived ones do not change ·
//       a stale epoch and a node's change nothing · restarts forget nothing
#include "sheaf/ports/persistence/contract/persistence_contract.h"

namespace sheaf::persistence {

Status RegistryContract::Store(const Epoch& epoch, const Registration& registration) {
  return Sure([&] { return services().Store(epoch, registration); });
}
std::vector<Registration> RegistryContract::Live() {
  return Sure([&] { return services().Live(); }).value();
}
std::vector<Registration> RegistryContract::Archived() {
  return Sure([&] { return services().Archived(); }).value();
}

namespace {

using All = std::vector<Registration>;

TEST_P(RegistryContract, BothHalvesAreStored) {
  const Epoch epoch = Acquire(kClusterScope);
  ASSERT_TRUE(Store(epoch, MakeRegistration(12)).ok());
  ASSERT_TRUE(Store(epoch, MakeRegistration(7)).ok());
  ASSERT_TRUE(Store(epoch, MakeRegistration(7)).ok());  // The same again is no error.
  if (!keeps()) return;
  EXPECT_EQ(Live(), (All{MakeRegistration(7), MakeRegistration(12)}));
  EXPECT_EQ(Sure([&] { return services().Get(12); }).value(), MakeRegistration(12));
  EXPECT_EQ(KindOf(Sure([&] { return services().Get(8); })), Kind::kNotFound);
  EXPECT_EQ(KindOf(Store(epoch, MakeRegistration(7, "another"))), Kind::kConflict);
  EXPECT_EQ(services().MayDo(), Access::kReadWrite);
}

TEST_P(RegistryContract, AHalfBecomesExactlyWhatItIsUpdatedTo) {
  const Epoch epoch = Acquire(kClusterScope);
  ASSERT_TRUE(Store(epoch, MakeRegistration(1)).ok());
  if (!keeps()) return;
  Submitted submitted;
  submitted.Set<"description">("").Set<"classpath">("${a}:'\"\n");
  ASSERT_TRUE(Sure([&] { return services().UpdateSubmitted(epoch, 1, submitted); }).ok());
  ActiveState state;
  state.Set<"last-use">("5");
  ASSERT_TRUE(Sure([&] { return services().UpdateState(epoch, 1, state); }).ok());
  const auto now = Sure([&] { return services().Get(1); }).value();
  EXPECT_EQ(now.submitted, submitted);
  EXPECT_EQ(now.submitted.Find<"jvm">(), nullptr) << "a removed key stayed";
  EXPECT_EQ(now.state, state);
  EXPECT_EQ(KindOf(Sure([&] { return services().UpdateSubmitted(epoch, 2, submitted); })),
            Kind::kNotFound);
  EXPECT_EQ(KindOf(Sure([&] { return services().UpdateState(epoch, 2, state); })), Kind::kNotFound);
}

TEST_P(RegistryContract, ArchivingKeepsTheLastProperties) {
  const Epoch epoch = Acquire(kClusterScope);
  ASSERT_TRUE(Store(epoch, MakeRegistration(1)).ok());
  ASSERT_TRUE(Store(epoch, MakeRegistration(2)).ok());
  if (!keeps()) return;
  Registration last = MakeRegistration(1, "last words");
  last.state.Set<"service-state">("Stopped").Clear<"references">();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Sure([&] { return services().Archive(epoch, last); }).ok());
  }
  EXPECT_EQ(Archived(), All{last});
  EXPECT_EQ(Live(), All{MakeRegistration(2)});
  EXPECT_EQ(Sure([&] { return services().Get(1); }).value(), last);
  EXPECT_EQ(KindOf(Sure([&] { return services().UpdateState(epoch, 1, {}); })), Kind::kNotFound);
  EXPECT_EQ(KindOf(Sure([&] { return services().Archive(epoch, MakeRegistration(1)); })),
            Kind::kConflict);
  EXPECT_EQ(KindOf(Sure([&] { return services().Archive(epoch, MakeRegistration(3)); })),
            Kind::kNotFound);
  EXPECT_EQ(KindOf(Store(epoch, last)), Kind::kConflict);  // Its id is taken for ever.
}

TEST_P(RegistryContract, AStaleEpochAndANodesChangeNothing) {
  const Epoch stale = Acquire(kClusterScope);
  const Epoch present = Acquire(kClusterScope);
  const Epoch node = Acquire("node/n");
  EXPECT_EQ(KindOf(Store(node, MakeRegistration(1))), Kind::kInvalid);
  if (!keeps()) return;
  ASSERT_TRUE(Store(present, MakeRegistration(2)).ok());
  EXPECT_TRUE(LostOwnership(Store(stale, MakeRegistration(1))));
  EXPECT_TRUE(LostOwnership(Sure([&] { return services().UpdateState(stale, 2, {}); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return services().UpdateSubmitted(stale, 2, {}); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return services().Archive(stale, MakeRegistration(2)); })));
  EXPECT_EQ(Live(), All{MakeRegistration(2)});
}

TEST_P(RegistryContract, TextThatIsNotUtf8IsRefused) {
  const Epoch epoch = Acquire(kClusterScope);
  EXPECT_EQ(KindOf(Store(epoch, MakeRegistration(1, "\xFF"))), Kind::kInvalid);
  EXPECT_TRUE(Live().empty());
}

TEST_P(RegistryContract, RegistrationsSurviveARestart) {
  if (!survives_reopen()) return;
  const Epoch epoch = Acquire(kClusterScope);
  ASSERT_TRUE(Store(epoch, MakeRegistration(1)).ok());
  ASSERT_TRUE(Store(epoch, MakeRegistration(2)).ok());
  ASSERT_TRUE(Sure([&] { return services().Archive(epoch, MakeRegistration(2)); }).ok());
  Reopen();
  EXPECT_EQ(Live(), All{MakeRegistration(1)});
  EXPECT_EQ(Archived(), All{MakeRegistration(2)});
}

}  // namespace
}  // namespace sheaf::persistence
