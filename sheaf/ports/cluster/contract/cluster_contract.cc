// PLAN  entries are found as committed, replaced by newer generations only · drops name their
//       generation · lists are in path order below a prefix, page by page · schemas are kept once
//       · a full catalog refuses · revisions grow · services come and go · nodes join, change
//       state and leave with what they offered · random writes agree with a map
#include "sheaf/ports/cluster/contract/cluster_contract.h"

#include <arrow/api.h>

#include <cstdlib>
#include <iostream>
#include <map>

namespace sheaf::cluster {

namespace {

uint64_t Seed() {
  const char* text = std::getenv("SHEAF_SEED");
  return text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
}

Path At(std::vector<std::string> parts) { return *Path::Make(std::move(parts)); }

Schema Columns(std::initializer_list<std::string> names) {
  arrow::FieldVector fields;
  for (const auto& name : names) fields.push_back(arrow::field(name, arrow::int64()));
  return arrow::schema(fields);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Backend& backend) { return out << backend.name; }

void ClusterContract::TearDownTestSuite() {
  const Backend& backend = GetParam();
  if (!backend.survives_reopen) std::cout << "deviation: forgets when it is closed\n";
  if (!backend.shared) std::cout << "deviation: one node only\n";
}

void ClusterContract::Open(const ContractSetup& setup) {
  cluster_ = GetParam().open(self_, clock_, setup);
  random_.seed(Seed());
  decorator_ = std::make_unique<FaultyCluster>(*cluster_, [this] {
    if (static_cast<int>(random_() % 10) >= GetParam().faults_in_ten) return Fault::kNone;
    return random_() % 2 == 0 ? Fault::kRefuse : Fault::kApplyThenTimeout;
  });
  front_ = decorator_.get();
}

Result<Revision> ClusterContract::Write(const std::function<Result<Revision>()>& write,
                                        std::initializer_list<Kind> settled) {
  bool may_be_done = false;
  while (true) {
    auto done = write();
    if (done.ok()) return done;
    const Error& error = done.error();
    for (const Kind kind : settled) {
      if (may_be_done && error.kind == kind) return front_->revision();
    }
    if (error.kind != Kind::kDependency && error.kind != Kind::kDeadline) return done;
    may_be_done |= error.effect == Effect::kUnknown;
  }
}

Result<Revision> ClusterContract::Commit(std::initializer_list<std::string> path,
                                         uint64_t generation, CatalogEntry entry) {
  entry.generation = generation;
  return Write([&] { return catalog().Commit(At(path), entry); });
}

Result<Revision> ClusterContract::Drop(std::initializer_list<std::string> path,
                                       uint64_t generation) {
  return Write([&] { return catalog().Drop(At(path), generation); }, {Kind::kNotFound});
}

std::vector<std::string> ClusterContract::List(std::initializer_list<std::string> prefix,
                                               std::initializer_list<std::string> after,
                                               size_t limit) {
  std::vector<std::string> texts;
  const Path below = prefix.size() == 0 ? Path() : At(prefix);
  const Path from = after.size() == 0 ? Path() : At(after);
  for (const auto& [path, entry] : catalog().List(below, from, limit)) {
    texts.push_back(path.Text());
  }
  return texts;
}

TEST_P(ClusterContract, AnEntryIsFoundAsItWasCommitted) {
  CatalogEntry entry;
  entry.schema = Columns({"a", "b"});
  entry.rows = 12;
  entry.bytes = 345;
  entry.created = {678};
  entry.expires = WallTime{910};
  entry.tier = Tier::kObject;
  entry.pinned = true;
  entry.partitions = 7;
  entry.identity.raw = std::string(32, '\x01');
  ASSERT_TRUE(Commit({"raw", "orders"}, 3, entry).ok());
  const auto found = catalog().Lookup(At({"raw", "orders"}));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->generation, 3u);
  EXPECT_TRUE(found->schema->Equals(*entry.schema));
  EXPECT_EQ(found->rows, 12);
  EXPECT_EQ(found->bytes, 345);
  EXPECT_EQ(found->created, WallTime{678});
  EXPECT_EQ(found->expires, WallTime{910});
  EXPECT_EQ(found->tier, Tier::kObject);
  EXPECT_TRUE(found->pinned);
  EXPECT_EQ(found->partitions, 7u);
  EXPECT_EQ(found->identity, entry.identity);
  EXPECT_EQ(catalog().size(), 1u);
}

TEST_P(ClusterContract, AnAbsentPathIsNotFound) {
  ASSERT_TRUE(Commit({"raw", "orders"}, 1).ok());
  EXPECT_FALSE(catalog().Lookup(At({"raw"})).has_value());
  EXPECT_FALSE(catalog().Lookup(At({"raw", "orders", "x"})).has_value());
  EXPECT_FALSE(catalog().Lookup(At({"raw", "order"})).has_value());
  EXPECT_TRUE(catalog().Replicas(At({"raw"})).empty());
}

TEST_P(ClusterContract, ANewerGenerationReplacesAnOlderOneDoesNot) {
  ASSERT_TRUE(Commit({"p"}, 5).ok());
  ASSERT_TRUE(Commit({"p"}, 6, {.rows = 60}).ok());
  EXPECT_EQ(Commit({"p"}, 5).error().kind, Kind::kConflict);
  EXPECT_EQ(catalog().Lookup(At({"p"}))->rows, 60);
  EXPECT_EQ(catalog().size(), 1u);
}

TEST_P(ClusterContract, TheSameGenerationAgainReplacesTheEntry) {
  ASSERT_TRUE(Commit({"p"}, 5).ok());
  ASSERT_TRUE(Commit({"p"}, 5, {.pinned = true, .identity = {std::string(32, 'x')}}).ok());
  EXPECT_TRUE(catalog().Lookup(At({"p"}))->pinned);
  EXPECT_EQ(catalog().Lookup(At({"p"}))->identity.raw, std::string(32, 'x'));
}

TEST_P(ClusterContract, ADropNamesItsGeneration) {
  ASSERT_TRUE(Commit({"p"}, 5).ok());
  EXPECT_EQ(Drop({"p"}, 4).error().kind, Kind::kConflict);
  EXPECT_TRUE(catalog().Lookup(At({"p"})).has_value());
  EXPECT_TRUE(Drop({"p"}, 5).ok());
  EXPECT_FALSE(catalog().Lookup(At({"p"})).has_value());
  EXPECT_EQ(catalog().size(), 0u);
}

TEST_P(ClusterContract, ADropOfNothingIsNotFound) {
  EXPECT_EQ(cluster_->catalog().Drop(At({"p"}), 5).error().kind, Kind::kNotFound);
}

TEST_P(ClusterContract, AListIsInPathOrderAndStaysBelowItsPrefix) {
  for (const auto& path : std::vector<std::vector<std::string>>{
           {"b"}, {"a", "z"}, {"a b"}, {"ab", "c"}, {"a"}, {"a", "b", "c"}, {"a", "b"}}) {
    ASSERT_TRUE(Write([&] { return catalog().Commit(At(path), {.generation = 1}); }).ok());
  }
  EXPECT_EQ(List({}), (std::vector<std::string>{"a", "a/b", "a/b/c", "a/z", "a b", "ab/c", "b"}));
  EXPECT_EQ(List({"a"}), (std::vector<std::string>{"a", "a/b", "a/b/c", "a/z"}));
  EXPECT_EQ(List({"a", "b"}), (std::vector<std::string>{"a/b", "a/b/c"}));
  EXPECT_EQ(List({"c"}), std::vector<std::string>{});
}

TEST_P(ClusterContract, PagesFollowOneAnotherWithoutGapOrRepeat) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(Commit({"p", "x" + std::to_string(10 + i)}, 1).ok());
  }
  std::vector<std::string> all;
  Path after;
  while (true) {
    const auto page = catalog().List(At({"p"}), after, 7);
    if (page.empty()) break;
    EXPECT_LE(page.size(), 7u);
    for (const auto& [path, entry] : page) all.push_back(path.Text());
    after = page.back().first;
  }
  EXPECT_EQ(all, List({"p"}));
  EXPECT_EQ(all.size(), 25u);
  EXPECT_EQ(List({"p"}, {"p", "x105"}), List({"p"}, {"p", "x10"}));
  EXPECT_EQ(List({"p"}, {"z"}), std::vector<std::string>{});
  EXPECT_EQ(List({"p"}, {"a"}).size(), 25u);
}

TEST_P(ClusterContract, EqualSchemasAreOneObjectAndOthersAreNot) {
  ASSERT_TRUE(Commit({"a"}, 1, {.schema = Columns({"x"})}).ok());
  ASSERT_TRUE(Commit({"b"}, 1, {.schema = Columns({"x"})}).ok());
  ASSERT_TRUE(Commit({"c"}, 1, {.schema = Columns({"y"})}).ok());
  const Schema noted = Columns({"x"})->WithMetadata(arrow::key_value_metadata({"k"}, {"v"}));
  ASSERT_TRUE(Commit({"d"}, 1, {.schema = noted}).ok());
  const auto schema = [&](const char* name) { return catalog().Lookup(At({name}))->schema; };
  EXPECT_EQ(schema("a"), schema("b"));
  EXPECT_NE(schema("a"), schema("c"));
  EXPECT_TRUE(schema("d")->Equals(*noted, /*check_metadata=*/true));
}

TEST_P(ClusterContract, AFullCatalogRefusesNewPathsAndKeepsServing) {
  Open({.entries_max = 10});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Commit({"p" + std::to_string(i)}, 1).ok());
  EXPECT_EQ(Commit({"one more"}, 1).error().kind, Kind::kExhausted);
  EXPECT_TRUE(Commit({"p3"}, 2).ok());
  ASSERT_TRUE(Drop({"p3"}, 2).ok());
  EXPECT_TRUE(Commit({"one more"}, 1).ok());
}

TEST_P(ClusterContract, RevisionsGrowWithEveryWriteAndAreSeenAtOnce) {
  Revision last = front_->revision();
  const auto grew = [&](const Result<Revision>& write) {
    EXPECT_TRUE(write.ok());
    EXPECT_GT(*write, last);
    EXPECT_GE(front_->revision(), *write);
    last = *write;
  };
  grew(Commit({"p"}, 1));
  grew(Write([&] { return services().Offer("sql"); }));
  grew(Write([&] { return membership().Join({.id = self_}); }));
  grew(Drop({"p"}, 1));
}

TEST_P(ClusterContract, ServicesAreOfferedAndWithdrawn) {
  for (const auto* name : {"sql", "files", "sql"}) {
    ASSERT_TRUE(Write([&] { return services().Offer(name); }).ok());
  }
  EXPECT_EQ(services().All(), (std::vector<std::string>{"files", "sql"}));
  EXPECT_EQ(services().Where("sql"), std::vector<NodeId>{self_});
  EXPECT_TRUE(services().Where("nothing").empty());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Write([&] { return services().Withdraw("sql"); }).ok());
  }
  EXPECT_TRUE(services().Where("sql").empty());
  EXPECT_EQ(services().All(), std::vector<std::string>{"files"});
  EXPECT_EQ(services().Offer("").ok(), false);
}

TEST_P(ClusterContract, NodesJoinChangeStateAndLeaveWithWhatTheyOffered) {
  EXPECT_EQ(membership().self(), self_);
  const Node other{.id = {"node1"}, .name = "second"};
  ASSERT_TRUE(Write([&] { return membership().Join(other); }).ok());
  ASSERT_TRUE(Write([&] { return membership().Join({.id = self_, .name = "first"}); }).ok());
  ASSERT_TRUE(Write([&] { return services().Offer("sql"); }).ok());
  clock_.Advance(std::chrono::seconds(3));
  ASSERT_TRUE(Write([&] { return membership().SetState(self_, Node::State::kReady); }).ok());
  auto nodes = membership().Nodes();
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].name, "first");
  EXPECT_EQ(nodes[0].state, Node::State::kReady);
  EXPECT_EQ(nodes[0].last_seen, clock_.Wall());
  EXPECT_EQ(nodes[1].state, Node::State::kStarting);
  ASSERT_TRUE(Write([&] { return membership().Leave(self_); }, {Kind::kNotFound}).ok());
  EXPECT_EQ(membership().Nodes().size(), 1u);
  EXPECT_TRUE(services().Where("sql").empty());
}

TEST_P(ClusterContract, ANodeThatIsNotThereHasNoState) {
  const auto set = [&] { return membership().SetState({"nobody"}, Node::State::kReady); };
  EXPECT_EQ(Write(set).error().kind, Kind::kNotFound);
  EXPECT_EQ(Write([&] { return membership().Leave({"nobody"}); }).error().kind, Kind::kNotFound);
  EXPECT_EQ(Write([&] { return membership().Join({}); }).error().kind, Kind::kInvalid);
}

TEST_P(ClusterContract, RandomWritesAgreeWithAMap) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::map<std::string, uint64_t> model;
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::string> parts;
    const size_t depth = 1 + random() % 3;
    for (size_t d = 0; d < depth; ++d) parts.push_back(std::string(1, 'a' + random() % 6));
    const Path path = At(parts);
    const uint64_t generation = 1 + random() % 50;
    const auto known = model.find(path.Key());
    if (random() % 3 != 0) {
      const bool may = known == model.end() || known->second <= generation;
      const auto done = Write([&] { return catalog().Commit(path, {.generation = generation}); });
      ASSERT_EQ(done.ok(), may) << i;
      if (may) model[path.Key()] = generation;
    } else if (known != model.end()) {
      ASSERT_TRUE(
          Write([&] { return catalog().Drop(path, known->second); }, {Kind::kNotFound}).ok())
          << i;
      model.erase(known);
    }
  }
  ASSERT_EQ(catalog().size(), model.size());
  auto expected = model.begin();
  for (const auto& [path, entry] : catalog().List({}, {}, 100'000)) {
    ASSERT_EQ(path.Key(), expected->first);
    ASSERT_EQ(entry.generation, expected->second);
    ASSERT_EQ(catalog().Lookup(path)->generation, expected->second);
    ++expected;
  }
  EXPECT_EQ(expected, model.end());
}

}  // namespace sheaf::cluster
