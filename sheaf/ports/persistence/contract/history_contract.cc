// PLAN  saving keeps documents with their summaries, all or none, once · the same again is no
//       error, another under the same id is a conflict · newest first and no more than asked ·
//       summaries by user, class, state, time, host, page by page · a stale epoch changes nothing
//       · every value survives · what contradicts itself is refused · restarts forget nothing
#include <limits>

#include "sheaf/ports/persistence/contract/persistence_contract.h"

namespace sheaf::persistence {

std::vector<Saved> HistoryContract::Save(const Epoch& epoch, const std::vector<Work>& works) {
  auto saved = Sure([&] { return history().Save(epoch, works); });
  EXPECT_TRUE(saved.ok()) << saved.error().message;
  return saved.ok() ? *saved : std::vector<Saved>{};
}

Result<Work> HistoryContract::Get(WorkType type, int64_t id) {
  return Sure([&] { return history().Get(type, id); });
}

std::vector<int64_t> HistoryContract::JobIds(SummaryQuery query) {
  std::vector<int64_t> ids;
  do {
    auto page = Sure([&] { return history().Jobs(query); });
    EXPECT_TRUE(page.ok()) << page.error().message;
    if (!page.ok()) break;
    EXPECT_LE(page->rows.size(), query.limit);
    for (const auto& row : page->rows) ids.push_back(row.Get<"ducc_id">());
    query.after = page->next;
  } while (query.after.has_value());
  return ids;
}

namespace {

using Ids = std::vector<int64_t>;

TEST_P(HistoryContract, SavedWorkIsThereWithItsSummaries) {
  const Epoch epoch = Started();
  const std::vector<Work> works = {MakeJob(1),
                                   MakeReservation(2, "a b"),
                                   {.type = WorkType::kService, .id = 3},
                                   {.type = WorkType::kArbitrary, .id = 3}};
  const auto saved = Save(epoch, works);
  EXPECT_EQ(saved.size(), 4u);
  if (!keeps()) return;
  if (plain()) {
    EXPECT_EQ(saved, std::vector<Saved>(4, Saved::kNew));
  }
  for (const Work& work : works) EXPECT_EQ(Get(work.type, work.id).value(), work);
  EXPECT_EQ(KindOf(Get(WorkType::kService, 1)), Kind::kNotFound);
  if (!has_summaries()) return;
  EXPECT_EQ(Sure([&] { return history().Jobs({}); })->rows, std::vector{*works[0].job});
  EXPECT_EQ(Sure([&] { return history().Processes({}); })->rows, works[0].processes);
  EXPECT_EQ(Sure([&] { return history().Reservations({}); })->rows,
            std::vector{*works[1].reservation});
}

TEST_P(HistoryContract, TheSameAgainIsNoErrorAndAnotherIsAConflict) {
  const Epoch epoch = Started();
  Save(epoch, {MakeJob(1)});
  const auto again = Save(epoch, {MakeJob(1), MakeJob(2)});
  ASSERT_EQ(again.size(), 2u);
  if (!keeps()) return;
  EXPECT_EQ(again[0], Saved::kAlready);
  const std::vector<Work> mixed = {MakeJob(3), MakeJob(1, "another")};
  EXPECT_EQ(KindOf(Sure([&] { return history().Save(epoch, mixed); })), Kind::kConflict);
  EXPECT_EQ(KindOf(Get(WorkType::kJob, 3)), Kind::kNotFound);
  EXPECT_EQ(Get(WorkType::kJob, 1)->job->Get<"user">(), "user");
}

TEST_P(HistoryContract, NewestComeFirstAndNoMoreThanAsked) {
  const Epoch epoch = Started();
  for (const int64_t id : {5, -2, 9, 1, 7}) Save(epoch, {MakeJob(id)});
  if (!keeps()) return;
  const auto ids = [&](size_t n) {
    Ids found;
    const auto works = Sure([&] { return history().Newest(WorkType::kJob, n); });
    for (const Work& work : *works) found.push_back(work.id);
    return found;
  };
  EXPECT_EQ(ids(3), (Ids{9, 7, 5}));
  EXPECT_EQ(ids(0), Ids{});
  EXPECT_EQ(ids(100), (Ids{9, 7, 5, 1, -2}));
}

TEST_P(HistoryContract, SummariesAreFoundPageByPageNewestFirst) {
  if (!has_summaries()) return;
  const Epoch epoch = Started();
  std::vector<Work> works;
  for (int64_t id = 1; id <= 20; ++id) {
    works.push_back(MakeJob(id, id % 2 == 0 ? "even" : "odd", 100 * (id / 4)));
  }
  works[4].job->Set<"class">("urgent");
  works[5].job->Set<"state">("Failed");
  Save(epoch, works);
  EXPECT_EQ(JobIds({.user = "even", .limit = 3}), (Ids{20, 18, 16, 14, 12, 10, 8, 6, 4, 2}));
  EXPECT_EQ(JobIds({.from = 200, .to = 400, .limit = 1}), (Ids{15, 14, 13, 12, 11, 10, 9, 8}));
  EXPECT_EQ(JobIds({.class_name = "urgent"}), Ids{5});
  EXPECT_EQ(JobIds({.state = "Failed"}), Ids{6});
  EXPECT_EQ(JobIds({.user = "odd", .host = "h1", .limit = 2}), (Ids{19, 13, 7, 1}));
  EXPECT_EQ(JobIds({.user = "nobody"}), Ids{});
  EXPECT_EQ(KindOf(Sure([&] { return history().Jobs({.limit = 0}); })), Kind::kInvalid);
  EXPECT_EQ(KindOf(Sure([&] { return history().Jobs({.limit = kPageMax + 1}); })), Kind::kInvalid);
}

TEST_P(HistoryContract, ProcessesAndReservationsAreFoundByHost) {
  if (!has_summaries()) return;
  const Epoch epoch = Started();
  Save(epoch, {MakeJob(1), MakeJob(2), MakeReservation(3, "h1 h22"), MakeReservation(4, "h2")});
  const auto processes = Sure([&] { return history().Processes({.host = "h1"}); });
  ASSERT_EQ(processes->rows.size(), 1u);
  EXPECT_EQ(processes->rows[0].Get<"ducc_id">(), 1);
  EXPECT_FALSE(processes->next.has_value());
  const auto reservations = Sure([&] { return history().Reservations({.host = "h2"}); });
  ASSERT_EQ(reservations->rows.size(), 1u);
  EXPECT_EQ(reservations->rows[0].Get<"ducc_id">(), 4);
  Work many = MakeJob(7);
  for (int64_t share = 1; share <= 5; ++share) {
    ProcessSummary process = many.processes[0];
    many.processes.push_back(process.Set<"share_id">(share).Set<"start">(9000));
  }
  Save(epoch, {many});
  SummaryQuery query{.from = 9000, .limit = 2};
  Ids shares;
  do {
    const auto page = Sure([&] { return history().Processes(query); });
    for (const auto& row : page->rows) shares.push_back(row.Get<"share_id">());
    query.after = page->next;
  } while (query.after.has_value());
  EXPECT_EQ(shares, (Ids{5, 4, 3, 2, 1}));
}

TEST_P(HistoryContract, AStaleEpochChangesNothing) {
  const Epoch stale = Started();
  const Epoch present = Started();
  EXPECT_GT(present.number, stale.number);
  const std::vector<Work> works = {MakeJob(1)};
  if (!keeps()) return;
  EXPECT_TRUE(LostOwnership(Sure([&] { return history().Save(stale, works); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return history().Finish(stale, works[0], {}); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return history().Change(stale, {{{1, "x"}}}); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return history().Checkpoint(stale, {}); })));
  EXPECT_TRUE(LostOwnership(Sure([&] { return history().Restore(stale, RestoreMode::kCold); })));
  EXPECT_EQ(KindOf(Get(WorkType::kJob, 1)), Kind::kNotFound);
  EXPECT_EQ(KindOf(Sure([&] {
              return history().Save({"node/never", 1, "x"}, works);
            })),
            Kind::kConflict);
  Save(present, works);
}

TEST_P(HistoryContract, ScopesAreIndependentAndOfTheRightKind) {
  const Epoch one = Started("one"), two = Started("two");
  Save(one, {MakeJob(1)});
  Save(two, {MakeJob(2)});
  const Epoch cluster = Acquire(kClusterScope);
  const std::vector<Work> works = {MakeJob(3)};
  EXPECT_EQ(KindOf(Sure([&] { return history().Save(cluster, works); })), Kind::kInvalid);
  EXPECT_EQ(KindOf(Sure([&] { return fencing().Acquire("anything", "x"); })), Kind::kInvalid);
}

TEST_P(HistoryContract, EpochsGrowAcrossReleaseAndRestart) {
  const Epoch first = Acquire("node/n", "a");
  if (!keeps()) return;
  EXPECT_EQ(Sure([&] { return fencing().Holder("node/n"); })->holder, "a");
  EXPECT_EQ(Sure([&] { return fencing().Holder("node/other"); })->number, 0u);
  EXPECT_TRUE(Sure([&] { return fencing().Release(first); }).ok());
  EXPECT_EQ(Sure([&] { return fencing().Holder("node/n"); })->holder, "");
  const std::vector<Work> works = {MakeJob(1)};
  EXPECT_TRUE(LostOwnership(Sure([&] { return history().Save(first, works); })));
  const Epoch second = Acquire("node/n", "b");
  EXPECT_GT(second.number, first.number);
  EXPECT_TRUE(Sure([&] { return fencing().Release(first); }).ok());  // Changes nothing.
  Save(second, works);
  if (!survives_reopen()) return;
  Reopen();
  Save(second, {MakeJob(2)});
  EXPECT_GT(Acquire("node/n", "c").number, second.number);
}

TEST_P(HistoryContract, EveryValueSurvives) {
  Work work = MakeJob(std::numeric_limits<int64_t>::min(), "'; drop table \"jobs\"; --");
  work.processes[0].Set<"share_id">(std::numeric_limits<int64_t>::max());
  work.job->Set<"class">("")
      .Set<"memory">(std::numeric_limits<int32_t>::min())
      .Set<"done_wi">(std::numeric_limits<int32_t>::max())
      .Set<"description">("${user.home} \n\r\t \xC3\xA9 \xF0\x9F\x8C\xBE %s ? $1 ?1");
  work.job->Clear<"state">();
  work.detail = std::string("quotes '\" and NUL \0 inside", 27);
  const Epoch epoch = Started();
  Save(epoch, {work});
  if (!keeps()) return;
  EXPECT_EQ(Get(WorkType::kJob, work.id).value(), work);
  if (!has_summaries()) return;
  const auto jobs = Sure([&] { return history().Jobs({.user = work.job->Get<"user">()}); });
  ASSERT_EQ(jobs->rows.size(), 1u);
  EXPECT_EQ(jobs->rows[0], *work.job);
  EXPECT_NE(jobs->rows[0].Find<"class">(), nullptr);
  EXPECT_EQ(jobs->rows[0].Find<"state">(), nullptr);
}

TEST_P(HistoryContract, SixtyFourMebibytesAreNotTooMuch) {
  if (!OnlyPlain()) return;
  Work work = MakeJob(1);
  work.detail.assign(size_t{64} << 20, 'x');
  const Epoch epoch = Started();
  Save(epoch, {work});
  if (keeps()) {
    EXPECT_TRUE(Get(WorkType::kJob, 1).value() == work);
  }
}

TEST_P(HistoryContract, WhatContradictsItselfIsRefused) {
  const Epoch epoch = Started();
  Work wrong = MakeJob(1);
  wrong.job->Set<"ducc_id">(2);
  const std::vector<Work> works = {MakeJob(5), wrong};
  EXPECT_EQ(KindOf(Sure([&] { return history().Save(epoch, works); })), Kind::kInvalid);
  Work bytes = MakeJob(1);
  bytes.detail = "\xFF";
  EXPECT_EQ(KindOf(Sure([&] { return history().Finish(epoch, bytes, {}); })), Kind::kInvalid);
  EXPECT_FALSE(Get(WorkType::kJob, 5).ok());
}

TEST_P(HistoryContract, HistorySurvivesARestart) {
  if (!survives_reopen()) return;
  Save(Started(), {MakeJob(1), MakeReservation(2, "h")});
  Reopen();
  EXPECT_EQ(Get(WorkType::kJob, 1).value(), MakeJob(1));
  EXPECT_EQ(Get(WorkType::kReservation, 2).value(), MakeReservation(2, "h"));
}

}  // namespace
}  // namespace sheaf::persistence
