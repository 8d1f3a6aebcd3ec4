#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <set>

#include "sheaf/ports/persistence/contract/persistence_contract.h"
#include "testkit/seed.h"

namespace sheaf::persistence {
namespace {

// In memory where the machine has such a place: 10,000 syncs of a disk prove nothing here. What a
// sync is for is shown with disks whose power is cut.
std::string FreshDirectory() {
  const std::filesystem::path memory = "/dev/shm";
  const auto above =
      ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  std::string name = (above / "sheaf-persistence-XXXXXX").string();
  SHEAF_CHECK(::mkdtemp(name.data()) != nullptr);
  return name;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Backend& backend) { return out << backend.name; }

void PersistenceContract::TearDownTestSuite() {
  const Backend& backend = GetParam();
  static std::set<std::string> said;
  if (!said.insert(backend.name).second) return;
  const auto say = [&](bool conforms, const char* deviation) {
    if (!conforms) std::cout << "deviation of " << backend.name << ": " << deviation << "\n";
  };
  say(backend.keeps, "keeps nothing");
  say(backend.survives_reopen, "forgets when it is closed");
  say(backend.shared, "one process only");
  say(backend.has_summaries, "no queries of summaries");
  say(backend.has_resources, "no state of resources");
}

void PersistenceContract::SetUp() {
  seed_ = testkit::Seed();
  random_.seed(seed_);
  directory_ = FreshDirectory();
  Reopen();
}

void PersistenceContract::TearDown() {
  front_ = {};
  back_ = {};
  std::filesystem::remove_all(directory_);
  if (HasFailure()) std::cout << "replay with SHEAF_SEED=" << seed_ << "\n";
}

void PersistenceContract::Reopen() {
  front_ = {};
  back_ = {};
  auto opened = GetParam().open(directory_);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  back_ = *std::move(opened);
  faults_ = std::make_unique<Faults>([this](Verb) {
    std::lock_guard lock(random_mutex_);
    if (static_cast<int>(random_() % 10) >= GetParam().faults_in_ten) return Fault::kNone;
    return static_cast<Fault>(1 + random_() % 4);
  });
  front_ = Decorate(back_, *faults_);
}

Epoch PersistenceContract::Acquire(std::string_view scope, std::string_view holder) {
  auto epoch = Sure([&] { return fencing().Acquire(scope, holder); });
  EXPECT_TRUE(epoch.ok()) << epoch.error().message;
  return epoch.ok() ? *epoch : Epoch{};
}

Epoch PersistenceContract::Started(std::string_view node, RestoreMode mode) {
  const Epoch epoch = Acquire(NodeScope(node));
  auto restored = Sure([&] { return history().Restore(epoch, mode); });
  EXPECT_TRUE(restored.ok()) << restored.error().message;
  return epoch;
}

Work MakeJob(int64_t id, std::string user, int64_t time) {
  Work work{.type = WorkType::kJob, .id = id};
  work.job.emplace()
      .Set<"user">(user)
      .Set<"ducc_id">(id)
      .Set<"class">("normal")
      .Set<"state">("Completed")
      .Set<"submission_time">(time);
  work.processes.emplace_back()
      .Set<"ducc_id">(id)
      .Set<"share_id">(id % 1'000'000'000 * 10)
      .Set<"user">(std::move(user))
      .Set<"host">("h" + std::to_string(id % 3))
      .Set<"start">(time < INT64_MAX ? time + 1 : time);
  work.specification = R"({"of":)" + std::to_string(id) + "}";
  return work;
}

Work MakeReservation(int64_t id, std::string hosts, int64_t time) {
  Work work{.type = WorkType::kReservation, .id = id};
  work.reservation.emplace()
      .Set<"user">("user")
      .Set<"ducc_id">(id)
      .Set<"hosts">(std::move(hosts))
      .Set<"submission_time">(time);
  return work;
}

Registration MakeRegistration(int64_t id, std::string description) {
  Registration registration{.id = id};
  registration.submitted.Set<"description">(std::move(description)).Set<"jvm">("${java.home}");
  registration.state.Set<"service-state">("Available").Set<"references">("1").Set<"user">("u");
  return registration;
}

Node MakeNode(std::string name, int32_t order) {
  return Node()
      .Set<"name">(std::move(name))
      .Set<"share_order">(order)
      .Set<"responsive">(true)
      .Set<"online">(true);
}

Share MakeShare(std::string node, int64_t dbid, int64_t job, int32_t order) {
  records::Uuid uuid;
  uuid.bytes.fill(static_cast<uint8_t>(dbid));
  return Share()
      .Set<"node">(std::move(node))
      .Set<"ducc_dbid">(dbid)
      .Set<"job_id">(job)
      .Set<"uuid">(uuid)
      .Set<"share_order">(order);
}

}  // namespace sheaf::persistence
