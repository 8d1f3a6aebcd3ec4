// PLAN  a run whose result is kept is live at once, any other when it is a second old, a short one
//       never · an ended run waits for company at most 50 ms · its summary says who, which class,
//       how long, how many work items · a run that the stop ended stays live when its result is
//       kept, else it is premature · a wish that ends is forgotten · a run that goes on with an
//       older one has its number · live items read back as they were written · nothing of what a
//       run of single use asks or says is written · of two writings the later one counts
#include "sheaf/host/chronicle/book.h"

#include <gtest/gtest.h>

#include "sheaf/host/chronicle/document.h"
#include "sheaf/host/chronicle/runs_test.h"

namespace sheaf::chronicle {
namespace {

using namespace std::chrono_literals;

struct BookTest : testing::Test {
  Instant At(Duration since) const { return start + since; }
  Instant start = Instant{} + 1h;
  Book book{{"here", 42}, 10};
};

TEST_F(BookTest, ARunWhoseResultIsKeptIsLiveAtOnce) {
  book.Began(Began("a", "x"), start);
  book.Wanted(Wanted("a", "x"));
  EXPECT_LE(book.due(), start);
  const Writing writing = book.Take(start);
  ASSERT_EQ(writing.live.put.size(), 1u);
  EXPECT_EQ(writing.live.put[0].first, 10);
  EXPECT_EQ(writing.live.linked[0], (std::pair<std::string, int64_t>("a", 10)));
  EXPECT_TRUE(book.Take(At(1h)).empty());
}

TEST_F(BookTest, AnyOtherRunIsLiveWhenItIsASecondOld) {
  book.Began(Began("a"), start);
  EXPECT_EQ(book.due(), At(1s));
  EXPECT_TRUE(book.Take(At(999ms)).empty());
  EXPECT_EQ(book.Take(At(1s)).live.put.size(), 1u);
  EXPECT_EQ(book.due(), std::nullopt);
}

TEST_F(BookTest, AShortRunIsNeverLiveAndWaitsForCompany) {
  book.Began(Began("a"), start);
  book.Ended(Ending("a"), At(10ms));
  EXPECT_TRUE(book.Take(At(59ms)).empty());
  EXPECT_EQ(book.due(), At(60ms));
  book.Began(Began("b"), At(30ms));
  book.Ended(Ending("b"), At(40ms));
  const Writing writing = book.Take(At(60ms));
  EXPECT_TRUE(writing.live.empty());
  ASSERT_EQ(writing.leaving.size(), 2u);
  EXPECT_EQ(writing.leaving[0].live, std::nullopt);
  EXPECT_EQ(writing.leaving[1].work.id, 11);
  EXPECT_TRUE(book.Take(At(1h)).empty());
}

TEST_F(BookTest, OfARunOfSingleUseNothingIsWrittenThatItAsksOrSays) {
  tasks::RunBegan run = Began("a");
  run.command = Command::Parse(R"({"service":"sql","spec":{"sql":"secret"},"inputs":{"secret":
      {"service":"files","spec":{"uri":"secret"}}},"options":{"retain_s":0,"priority":7}})")
                    .value();
  run.use = tasks::RunBegan::Use::kSingle;
  book.Began(run, start);
  const Writing live = book.Take(At(1s));
  ASSERT_EQ(live.live.put.size(), 1u);
  EXPECT_EQ(live.live.put[0].second.find("secret"), std::string::npos);
  EXPECT_TRUE(DecodeEntry(10, live.live.put[0].second).ok());
  auto ending = Ending("a", tasks::RunState::kErrored);
  ending.error = Fail(Kind::kFailed, "cannot cast 'secret'");
  book.Ended(ending, At(2s));
  const Writing writing = book.Take(At(2s));
  ASSERT_EQ(writing.leaving.size(), 1u);
  const std::string document = persistence::EncodeWork(writing.leaving[0].work);
  EXPECT_EQ(document.find("secret"), std::string::npos) << document;
  EXPECT_NE(document.find("priority-7"), std::string::npos);
}

TEST_F(BookTest, ASummaryTellsOfItsRun) {
  book.Began(Began("a", "x"), start);
  book.Wanted(Wanted("a", "x"));
  book.Executing({"a"}, WallTime{1'500'000});
  (void)book.Take(start);
  book.Ended(Ending("a"), At(2s));
  const Writing writing = book.Take(At(2s), Book::All::kYes);
  ASSERT_EQ(writing.leaving.size(), 1u);
  EXPECT_EQ(writing.leaving[0].live, 10);
  const persistence::Work& work = writing.leaving[0].work;
  EXPECT_TRUE(persistence::CheckWork(work).ok());
  EXPECT_EQ(work.job->Get<"user">(), "ann");
  EXPECT_EQ(work.job->Get<"class">(), "priority-7");
  EXPECT_EQ(work.job->Get<"submission_time">(), 1000);
  EXPECT_EQ(work.job->Get<"duration">(), 2500);
  EXPECT_EQ(work.job->Get<"total_wi">(), 4);
  EXPECT_EQ(work.job->Get<"done_wi">(), 4);
  EXPECT_EQ(work.job->Get<"reason">(), "EndOfJob");
  EXPECT_EQ(work.job->Get<"description">(), "sql > kept/x");
  ASSERT_EQ(work.processes.size(), 1u);
  EXPECT_EQ(work.processes[0].Get<"host">(), "here");
  EXPECT_EQ(work.processes[0].Get<"start">(), 1500);
  EXPECT_EQ(work.processes[0].Get<"stop">(), 3500);
}

TEST_F(BookTest, FailuresAndCancelsAreToldApart) {
  for (const char* id : {"a", "b"}) book.Began(Began(id), start);
  auto failed = Ending("a", tasks::RunState::kErrored);
  failed.error = Fail(Kind::kFailed, "no such table \xff");
  book.Ended(failed, start);
  book.Ended(Ending("b", tasks::RunState::kCancelled), start);
  const Writing writing = book.Take(start, Book::All::kYes);
  ASSERT_EQ(writing.leaving.size(), 2u);
  EXPECT_EQ(writing.leaving[0].work.job->Get<"reason">(), "Error");
  EXPECT_EQ(writing.leaving[0].work.job->Get<"errors">(), 1);
  EXPECT_EQ(writing.leaving[0].work.job->Get<"done_wi">(), 0);
  EXPECT_TRUE(persistence::CheckWork(writing.leaving[0].work).ok());
  EXPECT_EQ(writing.leaving[1].work.job->Get<"reason">(), "CanceledByUser");
  EXPECT_TRUE(writing.leaving[1].work.processes.empty());
}

TEST_F(BookTest, ARunThatTheStopEndedStaysLiveWhenItsResultIsKept) {
  book.Began(Began("a", "x"), start);
  book.Wanted(Wanted("a", "x"));
  book.Began(Began("b"), start);
  book.Ended(Stopped("a"), start);
  book.Ended(Stopped("b"), start);
  const Writing writing = book.Take(start, Book::All::kYes);
  ASSERT_EQ(writing.live.put.size(), 1u);
  EXPECT_EQ(writing.live.put[0].first, 10);
  ASSERT_EQ(writing.leaving.size(), 1u);
  EXPECT_EQ(writing.leaving[0].work.job->Get<"reason">(), "Premature");
}

TEST_F(BookTest, AWishThatEndsIsForgotten) {
  book.Began(Began("a", "x"), start);
  for (const char* sink : {"x", "y"}) book.Wanted(Wanted("a", sink));
  (void)book.Take(start);
  book.NoLongerWanted({"a"}, Path::Make({"kept", "x"}).value());
  const Writing writing = book.Take(start);
  ASSERT_EQ(writing.live.put.size(), 1u);
  const auto entry = DecodeEntry(10, writing.live.put[0].second);
  ASSERT_TRUE(entry.ok()) << entry.error().message;
  EXPECT_EQ(entry->sinks.size(), 1u);
  EXPECT_TRUE(entry->sinks.contains(Path::Make({"kept", "y"}).value()));
}

TEST_F(BookTest, ARunThatGoesOnHasTheNumberOfTheOneBefore) {
  Entry old{.number = 3, .task = {"old"}, .submitted = WallTime{5}, .restarts = 1};
  EXPECT_TRUE(book.Adopt({"a"}, Book::Run::kNew, old));
  book.Began(Began("a", "x"), start);
  book.Wanted(Wanted("a", "x"));
  EXPECT_EQ(book.Take(start).live.put.at(0).first, 3);
  book.Ended(Ending("a"), start);
  const Writing writing = book.Take(start, Book::All::kYes);
  EXPECT_EQ(writing.leaving.at(0).work.id, 3);
  EXPECT_EQ(writing.leaving.at(0).live, 3);
  EXPECT_EQ(writing.leaving.at(0).work.job->Get<"retries">(), 1);
}

TEST_F(BookTest, ARunThatIsKnownTakesTheNumberOverAndOnlyOnce) {
  book.Began(Began("a", "x"), start);
  book.Wanted(Wanted("a", "x"));
  (void)book.Take(start);
  const Entry old{.number = 3, .restarts = 1}, other{.number = 4, .restarts = 1};
  EXPECT_TRUE(book.Adopt({"a"}, Book::Run::kKnown, old));
  EXPECT_FALSE(book.Adopt({"a"}, Book::Run::kKnown, other));
  EXPECT_FALSE(book.Adopt({"ended"}, Book::Run::kKnown, other));
  const Writing writing = book.Take(start);
  EXPECT_EQ(writing.live.put.at(0).first, 3);
  EXPECT_EQ(writing.live.removed, std::vector<int64_t>{10});
}

TEST(DocumentTest, ALiveItemReadsBackAsItWasWritten) {
  Entry entry{.number = 5,
              .task = {"t"},
              .command = CommandOf("sql", "x"),
              .principal = "ann",
              .priority = 2,
              .submitted = WallTime{-7},
              .started = WallTime{8},
              .restarts = 1};
  entry.sinks[Path::Make({"kept", "x"}).value()] = {entry.command, "ben"};
  const auto back = DecodeEntry(5, EncodeEntry(entry));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(EncodeEntry(*back), EncodeEntry(entry));
  EXPECT_EQ(back->sinks.begin()->second.principal, "ben");
  EXPECT_EQ(DecodeEntry(5, "{").error().kind, Kind::kCorrupt);
  EXPECT_EQ(DecodeEntry(5, R"({"format":2})").error().kind, Kind::kUnsupported);
}

TEST(AppendTest, OfTwoWordsAboutOneRunTheLaterCounts) {
  Writing first;
  first.live = {.put = {{1, "old"}, {2, "two"}}, .removed = {3}, .linked = {{"a", 1}}};
  Writing then;
  then.live = {.put = {{1, "new"}, {3, "back"}}, .removed = {2}, .unlinked = {"a"}};
  then.leaving.push_back({.task = "t"});
  Append(first, std::move(then));
  EXPECT_EQ(first.leaving.size(), 1u);
  persistence::LiveWork live{.items = {{2, "two"}, {3, "three"}}, .process_to_job = {{"a", 1}}};
  persistence::ApplyChange(first.live, live);
  const persistence::LiveWork expected{.items = {{1, "new"}, {3, "back"}}};
  EXPECT_EQ(live, expected);
}

}  // namespace
}  // namespace sheaf::chronicle
