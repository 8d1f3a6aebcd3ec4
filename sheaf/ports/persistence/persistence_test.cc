// PLAN  scopes are checked, lost ownership is told apart · documents keep everything, format 1 is
//       read for ever, later ones are refused · work that contradicts itself is refused · changes
//       and bases survive their encoding, damage is found · provisioning says under, over,
//       sufficient with a reason, and no zero divides · access is limited
#include "sheaf/ports/persistence/persistence.h"

#include <gtest/gtest.h>

#include "sheaf/ports/persistence/limited_registry.h"

namespace sheaf::persistence {
namespace {

TEST(EpochTest, ScopesAreAClusterOrANode) {
  EXPECT_TRUE(CheckScope(kClusterScope).ok());
  EXPECT_TRUE(CheckScope(NodeScope("a/b")).ok());
  for (const auto* scope : {"", "node/", "nodes/a", "Cluster"}) {
    EXPECT_EQ(CheckScope(scope).error().kind, Kind::kInvalid) << scope;
  }
}

TEST(EpochTest, LostOwnershipIsToldApartFromOtherConflicts) {
  const Error lost = OwnershipLost({"cluster", 3, "a\"\xFF"}, 4, "b");
  EXPECT_TRUE(IsOwnershipLost(lost));
  EXPECT_NE(lost.message.find("of 'b'"), std::string::npos);
  EXPECT_FALSE(IsOwnershipLost(Fail(Kind::kConflict, "another document")));
}

Work Job(int64_t id) {
  Work work{.type = WorkType::kJob, .id = id};
  work.job.emplace().Set<"user">("u").Set<"ducc_id">(id).Set<"submission_time">(5);
  work.processes.emplace_back().Set<"ducc_id">(id).Set<"share_id">(1).Set<"start">(6);
  return work;
}

TEST(WorkTest, DocumentsKeepEverything) {
  Work work = Job(INT64_MAX);
  work.specification = R"({"a": "${user.home}"})";
  work.detail = std::string("quotes ' \" \n NUL \0 end \xC3\xA9", 26);
  ASSERT_TRUE(CheckWork(work).ok());
  EXPECT_EQ(DecodeWork(EncodeWork(work)).value(), work);
  EXPECT_EQ(SummaryRows(work).size(), 2u);
}

TEST(WorkTest, FormatOneIsReadForEver) {
  const auto work = DecodeWork(
      R"({"format":1,"type":"AP","id":-7,"processes":[{"ducc_id":-7,"share_id":2,"start":3,)"
      R"("user":"","initialized":true}],"detail":"d"})");
  ASSERT_TRUE(work.ok()) << work.error().message;
  EXPECT_EQ(work->type, WorkType::kArbitrary);
  EXPECT_EQ(work->id, -7);
  EXPECT_TRUE(work->processes.at(0).Get<"initialized">());
  ASSERT_NE(work->processes[0].Find<"user">(), nullptr);
}

TEST(WorkTest, LaterFormatsAreRefusedAndDamageIsFound) {
  EXPECT_EQ(DecodeWork(R"({"format":2})").error().kind, Kind::kUnsupported);
  for (const auto* text : {"", "{", "[]", R"({"format":1})", R"({"format":1,"type":"x","id":1})",
                           R"({"format":1,"type":"job","id":1,"job":{"usr":"x"}})",
                           R"({"format":1,"type":"job","id":1,"processes":{}})"}) {
    EXPECT_EQ(DecodeWork(text).error().kind, Kind::kCorrupt) << text;
  }
}

TEST(WorkTest, WorkThatContradictsItselfIsRefused) {
  Work none = Job(1);
  none.job.reset();
  Work other = Job(1);
  other.job->Set<"ducc_id">(2);
  Work timeless = Job(1);
  timeless.processes[0].Clear<"start">();
  Work two = Job(1);
  two.type = WorkType::kReservation;
  Work keyless = Job(1);
  keyless.job->Clear<"user">();
  Work bytes = Job(1);
  bytes.detail = "\xFF";
  for (const Work& work : {none, other, timeless, two, keyless, bytes}) {
    EXPECT_EQ(CheckWork(work).error().kind, Kind::kInvalid);
  }
}

TEST(CheckpointTest, BasesAndChangesSurviveTheirEncoding) {
  LiveWork live{{{INT64_MIN, "a"}, {7, "\"\n\xC3\xA9"}}, {{"p/1", 7}, {"", -1}}};
  const auto base = EncodeBase(live).value();
  EXPECT_EQ(DecodeBase(base.work, base.process_to_job).value(), live);
  const ChangeSet change{{{1, "x"}, {7, ""}}, {INT64_MIN}, {{"q", 1}}, {"p/1"}};
  EXPECT_EQ(DecodeChange(EncodeChange(change).value()).value(), change);
  ApplyChange(change, live);
  ApplyChange(change, live);
  EXPECT_EQ(live, (LiveWork{{{1, "x"}, {7, ""}}, {{"q", 1}, {"", -1}}}));
  EXPECT_EQ(EncodeBase({{{1, "\xFF"}}, {}}).error().kind, Kind::kInvalid);
  EXPECT_EQ(EncodeChange({{{1, "\xFF"}}, {}, {}, {}}).error().kind, Kind::kInvalid);
}

TEST(CheckpointTest, DamageAndLaterFormatsAreFound) {
  EXPECT_EQ(DecodeChange(R"({"format":2})").error().kind, Kind::kUnsupported);
  for (const auto* text : {"", "[]", "{}", R"({"format":1})",
                           R"({"format":1,"put":{"x":"a"},"removed":[],"linked":{},"unlinked":[]})",
                           R"({"format":1,"put":{},"removed":["a"],"linked":{},"unlinked":[]})",
                           R"({"format":1,"put":{},"removed":[],"linked":{"a":"b"},"unlinked":[]})",
                           R"({"format":1,"put":{},"removed":[],"linked":{},"unlinked":[1]})"}) {
    EXPECT_EQ(DecodeChange(text).error().kind, Kind::kCorrupt) << text;
  }
  EXPECT_EQ(DecodeBase(R"({"format":1,"items":{}})", "").error().kind, Kind::kCorrupt);
}

Node Machine(int32_t order, int32_t left, bool responsive = true) {
  return Node()
      .Set<"name">("n" + std::to_string(order))
      .Set<"share_order">(order)
      .Set<"shares_left">(left)
      .Set<"responsive">(responsive)
      .Set<"online">(true);
}

Provisioning Judged(std::vector<Node> nodes, int32_t demand, int32_t occupancy) {
  Resources resources{.nodes = std::move(nodes)};
  resources.load.emplace_back().Set<"job_id">(1).Set<"demand">(demand).Set<"occupancy">(occupancy);
  return Judge(resources);
}

TEST(ProvisioningTest, SaysUnderOverAndSufficientWithTheReason) {
  using Verdict = Provisioning::Verdict;
  const auto under = Judged({Machine(10, 3), Machine(8, 8, false)}, 9, 5);
  EXPECT_EQ(under.verdict, Verdict::kUnder);
  EXPECT_EQ(under.reason, "4 shares are wanted, 3 of 10 shares are free");
  EXPECT_EQ(Judged({Machine(10, 4)}, 9, 5).verdict, Verdict::kSufficient);
  EXPECT_EQ(Judged({Machine(10, 5)}, 5, 9).verdict, Verdict::kSufficient);
  const auto over = Judged({Machine(10, 6)}, 0, 0);
  EXPECT_EQ(over.verdict, Verdict::kOver);
  EXPECT_EQ(over.reason, "nothing is wanted, 6 of 10 shares are free");
}

TEST(ProvisioningTest, ZeroShareOrderDividesNothing) {
  EXPECT_EQ(Judged({Machine(0, 0)}, 0, 0).verdict, Provisioning::Verdict::kSufficient);
  EXPECT_EQ(Judged({Machine(0, 0)}, 1, 0).verdict, Provisioning::Verdict::kUnder);
  EXPECT_EQ(Judge({}).shares_total, 0);
}

class CountingRegistry final : public ServiceRegistry {
 public:
  int calls = 0;
  Access MayDo() const override { return Access::kReadWrite; }
  Status Store(const Epoch&, const Registration&) override { return Count(); }
  Status UpdateSubmitted(const Epoch&, int64_t, const Submitted&) override { return Count(); }
  Status UpdateState(const Epoch&, int64_t, const ActiveState&) override { return Count(); }
  Status Archive(const Epoch&, const Registration&) override { return Count(); }
  Result<Registration> Get(int64_t) override { return Counted(Registration{}); }
  Result<std::vector<Registration>> Live() override { return Counted(std::vector<Registration>{}); }
  Result<std::vector<Registration>> Archived() override {
    return Counted(std::vector<Registration>{});
  }

 private:
  Status Count() {
    ++calls;
    return Done();
  }
  template <typename T>
  T Counted(T is) {
    ++calls;
    return is;
  }
};

TEST(LimitedRegistryTest, ReadOnlyReadsAndNoneDoesNothing) {
  CountingRegistry inner;
  const auto kinds = [&](Access access) {
    LimitedRegistry limited(inner, access);
    EXPECT_EQ(limited.MayDo(), access);
    int refused = 0;
    for (const Status& done : {limited.Store({}, {}), limited.UpdateSubmitted({}, 1, {}),
                               limited.UpdateState({}, 1, {}), limited.Archive({}, {})}) {
      if (!done.ok() && done.error().kind == Kind::kForbidden) ++refused;
    }
    if (!limited.Get(1).ok()) ++refused;
    if (!limited.Live().ok()) ++refused;
    if (!limited.Archived().ok()) ++refused;
    return refused;
  };
  EXPECT_EQ(kinds(Access::kReadWrite), 0);
  EXPECT_EQ(inner.calls, 7);
  EXPECT_EQ(kinds(Access::kReadOnly), 4);
  EXPECT_EQ(kinds(Access::kNone), 7);
  EXPECT_EQ(inner.calls, 10);
}

}  // namespace
}  // namespace sheaf::persistence
