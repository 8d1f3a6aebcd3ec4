// PLAN  a registration is both halves, its id from a half, its name or derived; keys without a
//       column · a job's properties fill its summary and are all kept · a line of the workload
//       table · what is malformed names file and line · a walk: halves, links, unknown files, order
//       · short reads, long lines, a file that changes · batches: the bad one of many is rejected
//       alone, the same again is a duplicate, asking changes nothing, 64 MiB pass
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "sheaf/adapters/persistence/persistence.h"
#include "sheaf/apps/sheaf/loading.h"
#include "sheaf/apps/sheaf/source_file.h"
#include "sheaf/wire/command/json.h"
#include "testkit/temporary.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;
using persistence::Listing;
using persistence::Registration;
using persistence::Work;

Registration RegistrationIn(const LoadItem& item) {
  return std::get<Registration>(item.what.what);
}
Work WorkIn(const LoadItem& item) { return std::get<Work>(item.what.what); }
template <typename T>
std::string Message(const Result<T>& result) {
  return result.ok() ? "no error" : result.error().message;
}
Result<LoadItem> Both(std::string_view submitted, std::string_view state,
                      UnknownKeys unknown = UnknownKeys::kReject, const std::string& stem = "d/s") {
  return RegistrationOf({stem + ".svc", submitted}, {stem + ".meta", state}, unknown);
}

TEST(LoadItemsTest, ARegistrationIsBothHalves) {
  const auto item =
      Both("description=a ${b}\nservice_linger=\n", "numeric_id=41\nping-only=true\n");
  ASSERT_TRUE(item.ok()) << Message(item);
  const Registration registration = RegistrationIn(*item);
  EXPECT_EQ(registration.id, 41);
  EXPECT_EQ(registration.submitted.Get<"description">(), "a ${b}");
  ASSERT_NE(registration.submitted.Find<"service_linger">(), nullptr) << "empty is not absent";
  EXPECT_EQ(registration.submitted.Find<"jvm">(), nullptr);
  EXPECT_EQ(registration.state.Get<"ping-only">(), "true");
  EXPECT_EQ(item->what.name, "d/s");
  EXPECT_EQ(item->what.listing, Listing::kLive);
}

TEST(LoadItemsTest, AnIdIsOfAHalfOrOfTheNameOrDerived) {
  EXPECT_EQ(RegistrationIn(*Both("numeric_id=4", "numeric_id=4")).id, 4);
  EXPECT_EQ(RegistrationIn(*Both("", "", UnknownKeys::kReject, "d/17")).id, 17);
  const int64_t derived = RegistrationIn(*Both("", "")).id;
  EXPECT_EQ(derived, DerivedId("service", "d/s"));
  EXPECT_LT(derived, 0);
  EXPECT_GE(derived, -(int64_t{1} << 53));
  EXPECT_NE(derived, DerivedId("service", "d/t"));
  EXPECT_EQ(Message(Both("\nnumeric_id=4", "numeric_id=5")),
            "d/s.meta: line 1: another numeric_id than in the other half");
  EXPECT_EQ(Message(Both("\nnumeric_id=-4", "")),
            "d/s.svc: line 2: numeric_id is '-4', not a number from 0");
}

TEST(LoadItemsTest, PrivateKeysAreUnderstood) {
  const auto item = Both("uuid=u\nis_archived=true", "");
  EXPECT_EQ(item->what.listing, Listing::kArchived);
  EXPECT_EQ(RegistrationIn(*item).state.Get<"uuid">(), "u");
  EXPECT_EQ(Message(Both("uuid=u", "uuid=v")), "d/s.svc: another uuid than in the other half");
  EXPECT_EQ(Message(Both("is_archived=yes", "")),
            "d/s.svc: line 1: is_archived is 'yes', neither true nor false");
}

TEST(LoadItemsTest, AKeyWithoutAColumnIsSaid) {
  EXPECT_EQ(Message(Both("jvm=j\nnobody=1", "")),
            "d/s.svc: line 2: no column keeps 'nobody'; --drop-unknown loads the rest");
  const auto item = Both("jvm=j\nnobody=1\nfoo=2", "bar=3", UnknownKeys::kDrop);
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(item->note, "without nobody, foo, bar");
  EXPECT_EQ(RegistrationIn(*item).submitted.Get<"jvm">(), "j");
}

TEST(LoadItemsTest, TheHashIsOfWhatIsSaidNotOfItsSpelling) {
  const auto hash = [](std::string_view text) { return Both(text, "")->what.hash; };
  EXPECT_EQ(hash("# Mon Nov 23\njvm=j\ndescription=d"), hash("description : \\u0064\njvm j"));
  EXPECT_NE(hash("jvm=j"), hash("jvm=k"));
  EXPECT_NE(hash("jvm="), hash(""));
}

TEST(LoadItemsTest, AJobsPropertiesFillItsSummaryAndAreAllKept) {
  const auto item = JobOf({"a.job",
                           "user ann\nscheduling_class normal\nprocess_memory_size 15\njob_id 7\n"
                           "process_deployments_max 3\nunknown_key ${x} \"'\n"});
  ASSERT_TRUE(item.ok()) << Message(item);
  const Work work = WorkIn(*item);
  EXPECT_EQ(work.id, 7);
  EXPECT_EQ(work.job->Get<"user">(), "ann");
  EXPECT_EQ(work.job->Get<"class">(), "normal");
  EXPECT_EQ(work.job->Get<"memory">(), 15);
  EXPECT_EQ(work.job->Get<"processes">(), 3);
  EXPECT_EQ(work.job->Get<"state">(), "Undefined");
  EXPECT_EQ(Json::parse(work.specification)["unknown_key"], "${x} \"'");
  EXPECT_EQ(WorkIn(*JobOf({"d/b.job", "user=a"})).id, DerivedId("job", "d/b"));
  EXPECT_EQ(Message(JobOf({"b.job", "class=a"})), "b.job: a job has a user");
  EXPECT_EQ(Message(JobOf({"b.job", "user=a\nmachines=many"})),
            "b.job: line 2: machines is 'many', not a whole number");
  EXPECT_EQ(Message(JobOf({"b.job", "user=\\u00"})), "b.job: line 1: \\u without 4 digits");
}

TEST(LoadItemsTest, ALineOfTheWorkloadTableIsAFinishedJob) {
  const auto item = JobOfLine("w.tsv", 3, "m\tf.job\tann\tnormal\t4\t28\t\t20\t5\t9\t1\t2\t3");
  ASSERT_TRUE(item.ok()) << Message(item);
  const Work work = WorkIn(*item);
  EXPECT_EQ(work.id, DerivedId("workload", "m/f.job"));
  EXPECT_EQ(work.job->Get<"submission_time">(), 20);
  EXPECT_EQ(work.job->Find<"processes">(), nullptr) << "an empty field is absent";
  EXPECT_EQ(work.job->Get<"total_wi">(), 5);
  EXPECT_EQ(work.job->Get<"done_wi">(), 5);
  EXPECT_EQ(work.job->Get<"state">(), "Completed");
  EXPECT_EQ(Json::parse(work.specification)["median_ms"], 2);
  EXPECT_EQ(item->what.name, "w.tsv:3");
  EXPECT_EQ(Message(JobOfLine("w.tsv", 3, "m\tf")),
            "w.tsv: line 3: 2 columns, and a workload has 13");
  EXPECT_EQ(Message(JobOfLine("w.tsv", 3, "m\tf\ta\tn\t4\t28\t\tx\t5\t9\t1\t2\t3")),
            "w.tsv: line 3: tod_ms is 'x', not a whole number from 0 to 9223372036854775807");
  EXPECT_EQ(Message(JobOfLine("w.tsv", 3, "m\tf\t\tn\t4\t28\t\t1\t5\t9\t1\t2\t3")),
            "w.tsv: line 3: user is empty");
  EXPECT_EQ(Message(JobOfLine("w.tsv", 3, "m\xff")), "w.tsv: line 3: not UTF-8");
}

class LoadTest : public testing::Test {
 protected:
  class Heard final : public LoadListener {
   public:
    Status Found(LoadItem item, size_t) override {
      said.push_back("found " + item.what.name);
      items.push_back(std::move(item));
      return Done();
    }
    Status Rejected(const std::string& name, const std::string& reason) override {
      said.push_back("rejected " + name + ": " + reason);
      return Done();
    }
    Status Ignored(const std::string& name, const std::string& reason) override {
      said.push_back("ignored " + name + ": " + reason);
      return Done();
    }
    std::vector<std::string> said;
    std::vector<LoadItem> items;
  };

  void Write(const std::string& name, std::string_view text) const {
    const fs::path path = source_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  std::vector<std::string> Walked(const WalkOptions& options = {}) const {
    Heard heard;
    EXPECT_TRUE(WalkSource(source_.string(), options, heard).ok());
    return heard.said;
  }
  // Loads the source; what was told, as "outcome name".
  std::vector<std::string> Load(LoadOptions options = {}) {
    const persistence::Report report = [](const persistence::Doing&) { return Done(); };
    std::vector<std::string> said;
    Loading loading(*opened_.parts.administration, clock_, report, options,
                    [&](const LoadedItem& item) {
                      said.push_back(std::string(OutcomeName(item.outcome)) + " " + item.name);
                    });
    EXPECT_TRUE(WalkSource(source_.string(), {}, loading).ok());
    EXPECT_TRUE(loading.Flush().ok());
    return said;
  }

  testkit::TemporaryDirectory directory_;
  const fs::path source_ = fs::path(directory_.path()) / "source";
  time::SystemClock clock_;
  persistence::SqlPersistence opened_ =
      persistence::OpenSqlite({.path = directory_.path() + "/sheaf.db"}).value();
};

const std::string kLine = "\tann\tnormal\t4\t28\t\t20\t5\t9\t1\t2\t3\n";
std::string Table(int lines) {
  std::string text = std::string(kWorkloadHeader) + "\n";
  for (int i = 0; i < lines; ++i) text += "suite\tf-" + std::to_string(i) + kLine;
  return text;
}

TEST_F(LoadTest, AWalkTellsEverythingInOrder) {
  Write("b/1.svc", "jvm=j");
  Write("b/1.meta", "");
  Write("b/2.svc", "");
  Write("b/3.meta", "");
  Write("a.job", "user=a");
  Write("notes.txt", "");
  Write("other.tsv", "a\tb\n");
  Write("w.tsv", Table(1) + "\nshort\n");
  Write("y/ducc_workload.tsv", "a\tb\n");
  fs::create_directory_symlink("/", source_ / "out");
  EXPECT_EQ(::mkfifo((source_ / "pipe.job").c_str(), 0600), 0);
  const std::vector<std::string> want = {
      "found a.job",
      "found b/1",
      "rejected b/2.svc: its other half, 2.meta, is missing",
      "rejected b/3.meta: its other half, 3.svc, is missing",
      "ignored notes.txt: no file of a kind that can be loaded",
      "ignored other.tsv: its first line is not that of a workload table",
      "ignored out: a symbolic link is not followed",
      "ignored pipe.job: no plain file",
      "found w.tsv:2",
      "rejected w.tsv:4: line 4: 1 columns, and a workload has 13",
      "rejected y/ducc_workload.tsv: line 1: not the columns of a workload table"};
  EXPECT_EQ(Walked(), want);
}

TEST_F(LoadTest, ShortReadsLoseNothing) {
  Write("1.svc", "description=" + std::string(1000, 'x'));
  Write("1.meta", "endpoint=e\r\n");
  Write("w.tsv", Table(20));
  Heard whole, pieces;
  ASSERT_TRUE(WalkSource(source_.string(), {}, whole).ok());
  size_t turn = 0;
  WalkOptions options;
  options.read = [&turn](int fd, void* to, size_t size) -> ssize_t {
    if (++turn % 5 == 0) {
      errno = EINTR;
      return -1;
    }
    return ::read(fd, to, std::min<size_t>(size, 1 + turn % 7));
  };
  ASSERT_TRUE(WalkSource(source_.string(), options, pieces).ok());
  EXPECT_EQ(whole.said, pieces.said);
  ASSERT_EQ(whole.items.size(), 21u);
  ASSERT_EQ(pieces.items.size(), 21u);
  for (size_t i = 0; i < 21; ++i) EXPECT_EQ(whole.items[i].what.hash, pieces.items[i].what.hash);
}

TEST_F(LoadTest, AReadThatFailsRejectsItsFile) {
  Write("a.job", "user=a");
  WalkOptions options;
  options.read = [](int, void*, size_t) -> ssize_t {
    errno = EIO;
    return -1;
  };
  EXPECT_EQ(Walked(options), std::vector<std::string>{"rejected a.job: Input/output error"});
}

TEST_F(LoadTest, WhatIsTooLargeIsRejectedByName) {
  Write("a.job", "user=" + std::string(200, 'a'));
  Write("w.tsv", Table(1) + std::string(5000, 'x') + "\nsuite\tlast" + kLine);
  const std::vector<std::string> want = {"rejected a.job: more than 150 bytes",
                                         "found w.tsv:2",
                                         "rejected w.tsv:3: more than 150 bytes",
                                         "found w.tsv:4"};
  EXPECT_EQ(Walked({.text_bytes_max = 150}), want);
}

TEST_F(LoadTest, AFileThatChangesWhileItIsReadIsRejected) {
  Write("a.job", "user=a\n");
  bool changed = false;
  WalkOptions options;
  options.read = [&](int fd, void* to, size_t size) -> ssize_t {
    const ssize_t got = ::read(fd, to, size);
    if (!std::exchange(changed, true)) std::ofstream(source_ / "a.job") << "user=bob\nclass=x\n";
    return got;
  };
  EXPECT_EQ(Walked(options),
            std::vector<std::string>{"rejected a.job: it changed while it was read"});
}

TEST_F(LoadTest, TheSameAgainIsADuplicateAndOtherContentIsRejected) {
  Write("1.svc", "jvm=j");
  Write("1.meta", "");
  Write("w.tsv", Table(2) + "suite\tf-0" + kLine);
  const std::vector<std::string> first = {"loaded 1", "loaded w.tsv:2", "loaded w.tsv:3",
                                          "duplicate w.tsv:4"};
  EXPECT_EQ(Load(), first);
  const std::vector<std::string> again = {"duplicate 1", "duplicate w.tsv:2", "duplicate w.tsv:3",
                                          "duplicate w.tsv:4"};
  EXPECT_EQ(Load(), again);
  Write("1.svc", "jvm=other");
  const std::vector<std::string> other = {"rejected 1", "duplicate w.tsv:2", "duplicate w.tsv:3",
                                          "duplicate w.tsv:4"};
  EXPECT_EQ(Load(), other);
  EXPECT_EQ(opened_.parts.services->Get(1)->submitted.Get<"jvm">(), "j");
  EXPECT_EQ(opened_.parts.history->Newest(persistence::WorkType::kJob, 9)->size(), 2u);
}

TEST_F(LoadTest, AskingChangesNothing) {
  Write("w.tsv", Table(3));
  const std::vector<std::string> want = {"loaded w.tsv:2", "loaded w.tsv:3", "loaded w.tsv:4"};
  EXPECT_EQ(Load({.mode = LoadOptions::Mode::kAsk}), want);
  EXPECT_TRUE(opened_.parts.history->Newest(persistence::WorkType::kJob, 9)->empty());
  EXPECT_EQ(Load(), want);
}

TEST_F(LoadTest, OneBadItemOfABatchIsRejectedAlone) {
  Write("w.tsv", Table(100));
  auto epoch = opened_.parts.fencing->Acquire("node/n", "test");
  Work taken = WorkIn(*JobOfLine("w", 1, "suite\tf-37" + kLine.substr(0, kLine.size() - 1)));
  taken.detail = "other";
  ASSERT_TRUE(opened_.parts.history->Save(*epoch, std::vector{taken}).ok());
  const auto said = Load({.batch_items = 64});
  EXPECT_EQ(std::count(said.begin(), said.end(), "rejected w.tsv:39"), 1);
  EXPECT_EQ(std::count_if(said.begin(), said.end(),
                          [](const auto& one) { return one.starts_with("loaded"); }),
            99);
  EXPECT_TRUE(persistence::Verify(*opened_.store)->empty());
}

TEST_F(LoadTest, AValueOf64MiBIsLoaded) {
  const std::string large(size_t{64} << 20, 'x');
  Write("1.svc", "classpath=" + large);
  Write("1.meta", "");
  Write("2.job", "user=a\njob_id=2\nclasspath=" + large);
  const std::vector<std::string> want = {"loaded 1", "loaded 2.job"};
  EXPECT_EQ(Load(), want);
  EXPECT_TRUE(opened_.parts.services->Get(1)->submitted.Get<"classpath">() == large);
  const auto work = opened_.parts.history->Get(persistence::WorkType::kJob, 2);
  ASSERT_TRUE(work.ok());
  EXPECT_GT(work->specification.size(), large.size());
}

}  // namespace
}  // namespace sheaf::app
