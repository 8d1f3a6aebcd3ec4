// A fault is one more implementation: a write is refused, or made and its answer lost.
#pragma once

#include <functional>
#include <utility>

#include "sheaf/ports/cluster/cluster.h"

namespace sheaf::cluster {

enum class Fault : uint8_t {
  kNone,
  kRefuse,            // kDependency, Effect::kNone: certainly not done.
  kApplyThenTimeout,  // Done, then kDeadline with Effect::kUnknown.
};

// Spoils writes; reads are served from a view and never fail.
//
// Owner: a test. Threads: as the inner one, if `next` may be called from any thread.
class FaultyCluster final : public Cluster, private Membership, private Services, private Catalog {
 public:
  FaultyCluster(Cluster& inner, std::function<Fault()> next)
      : inner_(inner), next_(std::move(next)) {}

  Membership& membership() override { return *this; }
  Services& services() override { return *this; }
  Catalog& catalog() override { return *this; }
  Revision revision() const override { return inner_.revision(); }

 private:
  Result<Revision> Join(Node node) override {
    return Through([&] { return inner_.membership().Join(std::move(node)); });
  }
  Result<Revision> SetState(const NodeId& id, Node::State state) override {
    return Through([&] { return inner_.membership().SetState(id, state); });
  }
  Result<Revision> Leave(const NodeId& id) override {
    return Through([&] { return inner_.membership().Leave(id); });
  }
  std::vector<Node> Nodes() const override { return inner_.membership().Nodes(); }
  const NodeId& self() const override { return inner_.membership().self(); }

  Result<Revision> Offer(std::string_view service) override {
    return Through([&] { return inner_.services().Offer(service); });
  }
  Result<Revision> Withdraw(std::string_view service) override {
    return Through([&] { return inner_.services().Withdraw(service); });
  }
  std::vector<NodeId> Where(std::string_view service) const override {
    return inner_.services().Where(service);
  }
  std::vector<std::string> All() const override { return inner_.services().All(); }

  Result<Revision> Commit(const Path& path, CatalogEntry entry) override {
    return Through([&] { return inner_.catalog().Commit(path, std::move(entry)); });
  }
  Result<Revision> Drop(const Path& path, uint64_t generation) override {
    return Through([&] { return inner_.catalog().Drop(path, generation); });
  }
  std::optional<CatalogEntry> Lookup(const Path& path) const override {
    return inner_.catalog().Lookup(path);
  }
  std::vector<std::pair<Path, CatalogEntry>> List(const Path& prefix, const Path& after,
                                                  size_t limit) const override {
    return inner_.catalog().List(prefix, after, limit);
  }
  std::vector<NodeId> Replicas(const Path& path) const override {
    return inner_.catalog().Replicas(path);
  }
  size_t size() const override { return inner_.catalog().size(); }

  template <typename Call>
  Result<Revision> Through(Call call) {
    const Fault fault = next_();
    if (fault == Fault::kRefuse) return Fail(Kind::kDependency, "injected: refused");
    auto done = call();
    if (fault == Fault::kApplyThenTimeout) {
      return Error{Kind::kDeadline, Effect::kUnknown, "injected: answer lost", {}};
    }
    return done;
  }

  Cluster& inner_;  // Borrowed from the test; outlives this.
  std::function<Fault()> next_;
};

}  // namespace sheaf::cluster
