// PLAN  what the system before did wrong, each by name; those that the contract suite, the power
//       cuts and wire/records show are listed with their tests in docs/persistence_defects.md
#include <filesystem>
#include <fstream>

#include "sheaf/adapters/persistence/sql_schema.h"
#include "sheaf/adapters/persistence/sqlite_test.h"
#include "sheaf/wire/records/migration.h"
#include "sheaf/wire/records/row_json.h"

namespace sheaf::persistence {
namespace {

class DefectTest : public SqlitePersistenceTest {
 protected:
  std::vector<std::string> Differences() { return Verify(*opened_.store).value(); }
};

TEST_F(DefectTest, AFailedRestoreLetsNoEmptyMapOverwriteTheCheckpoint) {
  Open();
  const Epoch first = Started();
  ASSERT_TRUE(Put(first, 1).ok());
  ASSERT_TRUE(Behind()->Run("update sheaf_generation set checksum = 0").ok());
  const Epoch epoch = Acquire();
  EXPECT_EQ(KindOf(history().Restore(epoch, RestoreMode::kWarm)), Kind::kCorrupt);
  EXPECT_EQ(KindOf(history().Checkpoint(epoch, {})), Kind::kNotReady);
  auto behind = Behind();
  EXPECT_EQ(Number(*behind, Sql("select count(*) from sheaf_change")), 1);
}

TEST_F(DefectTest, ADatabaseThatIsAwayIsAnErrorAndNeverNull) {
  const auto away = OpenSqlite({.path = directory_.path() + "/no/such/place.db"});
  EXPECT_EQ(KindOf(away), Kind::kDependency);
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(KindOf(TryOpen()), Kind::kCorrupt);
}

TEST_F(DefectTest, SummariesOfJobsReservationsAndProcessesAreThereAndEqualTheirDocuments) {
  Open();
  Work job = MakeJob(1);
  job.processes[0].Set<"start">(5).Set<"stop">(9);
  const std::vector<Work> works = {job, MakeReservation(2, "a b")};
  ASSERT_TRUE(history().Save(Started(), works).ok());
  EXPECT_TRUE(Differences().empty());
  const auto process = history().Processes({})->rows.at(0);
  EXPECT_EQ(process.Get<"start">(), 5);  // Start and stop in their places.
  EXPECT_EQ(process.Get<"stop">(), 9);
  EXPECT_EQ(history().Reservations({})->rows.size(), 1u);
}

TEST_F(DefectTest, EveryDifferenceOfASummaryIsFound) {
  Open();
  const std::vector<Work> works = {MakeJob(1), MakeJob(2), MakeJob(3), MakeReservation(4, "h")};
  ASSERT_TRUE(history().Save(Started(), works).ok());
  auto behind = Behind();
  ASSERT_TRUE(behind->Run("update jobs set class = 'other' where ducc_id = 1").ok());
  ASSERT_TRUE(behind->Run("delete from processes where ducc_id = 2").ok());
  ASSERT_TRUE(behind->Run("update job_history set work = x'7b7d' where ducc_id = 3").ok());
  ASSERT_TRUE(behind->Run("insert into reservations(user, ducc_id) values('ghost', 9)").ok());
  // 3: its document, its job and its process.
  EXPECT_EQ(Differences().size(), 6u);
}

TEST_F(DefectTest, ABrokenSummaryUndoesTheWholeDocument) {
  Open();
  const Epoch epoch = Started();
  // The same process twice: its second row cannot be written.
  Work twice = MakeJob(1);
  twice.processes.push_back(twice.processes[0]);
  const std::vector<Work> works = {MakeJob(2), twice};
  EXPECT_EQ(KindOf(history().Save(epoch, works)), Kind::kConflict);
  EXPECT_EQ(KindOf(history().Get(WorkType::kJob, 1)), Kind::kNotFound);
  EXPECT_EQ(KindOf(history().Get(WorkType::kJob, 2)), Kind::kNotFound);
  EXPECT_TRUE(history().Jobs({})->rows.empty());
}

TEST_F(DefectTest, AClearThatFailsIsSaidAndTheGenerationBeforeStays) {
  Open();
  const Epoch epoch = Acquire();
  Resources all;
  all.nodes.push_back(MakeNode("n", 4));
  all.shares.push_back(MakeShare("n", 1, 1, 1));
  ASSERT_TRUE(resources().Begin(epoch, all).ok());
  const Resources before = resources().Read().value();
  auto behind = Behind();
  ASSERT_TRUE(behind
                  ->Script("create trigger stop before delete on rmnodes begin "
                           "select raise(abort, 'no'); end")
                  .ok());
  EXPECT_FALSE(resources().Begin(epoch, {}).ok());
  EXPECT_EQ(resources().Read().value(), before);
}

TEST_F(DefectTest, AShareAndItsNodesCountersAreOneTransaction) {
  Open();
  const Epoch epoch = Acquire();
  const std::vector<Node> nodes = {MakeNode("n", 4)};
  ASSERT_TRUE(resources().PutNodes(epoch, nodes).ok());
  auto behind = Behind();
  ASSERT_TRUE(behind
                  ->Script("create trigger stop before update on rmnodes begin "
                           "select raise(abort, 'no'); end")
                  .ok());
  EXPECT_FALSE(resources().AddShare(epoch, MakeShare("n", 1, 1, 1)).ok());
  EXPECT_TRUE(resources().Read()->shares.empty());
}

TEST_F(DefectTest, TheNewestAreReadWithoutReadingAllOthers) {
  Open();
  const std::vector<Work> works = {MakeJob(1), MakeJob(2), MakeJob(3)};
  ASSERT_TRUE(history().Save(Started(), works).ok());
  ASSERT_TRUE(Behind()->Run("update job_history set work = x'00' where ducc_id = 1").ok());
  EXPECT_EQ(history().Newest(WorkType::kJob, 2)->size(), 2u);
  EXPECT_EQ(KindOf(history().Newest(WorkType::kJob, 3)), Kind::kCorrupt);
}

TEST_F(DefectTest, ASchemaChangeIsSeenInTheSchemaNotInTheTextOfAnError) {
  Open();
  ASSERT_TRUE(Behind()
                  ->Script("drop index reservations_type_idx; "
                           "alter table reservations drop column type; "
                           "alter table jobs add column from_elsewhere text")
                  .ok());
  EXPECT_EQ(opened_.parts.administration->Plan()->drift,
            (std::vector<std::string>{
                "missing: column reservations.type text",
                "missing: index reservations_type_idx on reservations(type)",
                "not of this schema: column jobs.from_elsewhere text"}));
}

TEST_F(DefectTest, ALaterSchemaIsRefusedWithBothVersionsNamed) {
  Open();
  opened_ = {};
  ASSERT_TRUE(Behind()->Run("update sheaf_schema set value = '7' where name = 'version'").ok());
  const auto refused = TryOpen();
  EXPECT_EQ(KindOf(refused), Kind::kUnsupported);
  EXPECT_NE(refused.error().message.find("version 7"), std::string::npos);
  EXPECT_NE(refused.error().message.find("version " + std::to_string(kSchemaVersion)),
            std::string::npos);
  EXPECT_NE(refused.error().message.find(path_), std::string::npos);
}

TEST_F(DefectTest, JsonHasDoubleQuotes) {
  const Work work = MakeJob(1, "it's \"quoted\"");
  const std::string text = records::ToJson(work.job->row()).dump();
  EXPECT_EQ(command::ParseJson(text)->at("user"), "it's \"quoted\"");
}

TEST_F(DefectTest, ValuesAreBoundNotPutIntoStatements) {
  Open();
  const Epoch epoch = Acquire(std::string("node/") + "x'; delete from jobs; --");
  const std::vector<Work> works = {MakeJob(1, "'; drop table jobs; --")};
  ASSERT_TRUE(history().Save(epoch, works).ok());
  EXPECT_EQ(history().Jobs({.user = "'; drop table jobs; --"})->rows.size(), 1u);
  EXPECT_TRUE(history().Jobs({.user = "' or 1=1 --"})->rows.empty());
}

TEST_F(DefectTest, TheColumnsAreThoseOfTheContractAndNoOther) {
  Open();
  auto behind = Behind();
  EXPECT_EQ(Number(*behind, Sql("select count(*) from pragma_table_info('daemonLifetime')")), 4);
  EXPECT_EQ(Number(*behind, Sql("select count(*) from pragma_table_info('jobs')")), 21);
  EXPECT_EQ(Number(*behind, Sql("select count(*) from pragma_table_info('smmeta') "
                                "where name = 'service_state'")),
            1);
}

}  // namespace
}  // namespace sheaf::persistence
