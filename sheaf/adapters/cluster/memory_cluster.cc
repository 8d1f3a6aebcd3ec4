#include "sheaf/adapters/cluster/memory_cluster.h"

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sheaf/adapters/cluster/memory_catalog.h"
#include "sheaf/base/async/mutex.h"

namespace sheaf::cluster {
namespace {

class MemoryCluster final : public Cluster, private Membership, private Services {
 public:
  MemoryCluster(NodeId self, Clock& clock, MemoryOptions options)
      : self_(std::move(self)),
        clock_(clock),
        options_(options),
        catalog_(self_, options.entries_max, [this] { return Written(); }) {}

  Membership& membership() override { return *this; }
  Services& services() override { return *this; }
  Catalog& catalog() override { return catalog_; }
  Revision revision() const override { return revision_.load(); }

 private:
  Result<Revision> Join(Node node) override {
    if (node.id.empty()) return Fail(Kind::kInvalid, "a node without an id cannot join");
    node.last_seen = clock_.Wall();
    MutexLock lock(mutex_);
    if (nodes_.size() >= options_.nodes_max && !nodes_.contains(node.id)) {
      return Fail(Kind::kExhausted,
                  "too many nodes (limit " + std::to_string(options_.nodes_max) + ")");
    }
    const NodeId id = node.id;
    nodes_.insert_or_assign(id, std::move(node));
    return Written();
  }
  Result<Revision> SetState(const NodeId& id, Node::State state) override {
    MutexLock lock(mutex_);
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) return NoNode(id);
    found->second.state = state;
    found->second.last_seen = clock_.Wall();
    return Written();
  }
  Result<Revision> Leave(const NodeId& id) override {
    MutexLock lock(mutex_);
    if (nodes_.erase(id) == 0) return NoNode(id);
    if (id == self_) offered_.clear();
    return Written();
  }
  std::vector<Node> Nodes() const override {
    MutexLock lock(mutex_);
    std::vector<Node> nodes;
    for (const auto& [id, node] : nodes_) nodes.push_back(node);
    return nodes;
  }
  const NodeId& self() const override { return self_; }

  Result<Revision> Offer(std::string_view service) override {
    if (service.empty()) return Fail(Kind::kInvalid, "a service without a name");
    MutexLock lock(mutex_);
    if (offered_.size() >= options_.services_max && !offered_.contains(service)) {
      return Fail(Kind::kExhausted,
                  "too many services (limit " + std::to_string(options_.services_max) + ")");
    }
    offered_.emplace(service);
    return Written();
  }
  Result<Revision> Withdraw(std::string_view service) override {
    MutexLock lock(mutex_);
    if (const auto found = offered_.find(service); found != offered_.end()) offered_.erase(found);
    return Written();
  }
  std::vector<NodeId> Where(std::string_view service) const override {
    MutexLock lock(mutex_);
    if (!offered_.contains(service)) return {};
    return {self_};
  }
  std::vector<std::string> All() const override {
    MutexLock lock(mutex_);
    return {offered_.begin(), offered_.end()};
  }

  static Error NoNode(const NodeId& id) {
    return Fail(Kind::kNotFound, "no node '" + id.text + "' in the cluster");
  }
  // After the write, so that whoever sees the revision sees the write.
  Revision Written() { return revision_.fetch_add(1) + 1; }

  const NodeId self_;
  Clock& clock_;  // Borrowed from main; outlives this.
  const MemoryOptions options_;
  std::atomic<Revision> revision_{0};
  mutable Mutex mutex_;
  std::map<NodeId, Node> nodes_ SHEAF_GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> offered_ SHEAF_GUARDED_BY(mutex_);
  MemoryCatalog catalog_;
};

}  // namespace

std::unique_ptr<Cluster> MakeMemoryCluster(NodeId self, Clock& clock, MemoryOptions options) {
  return std::make_unique<MemoryCluster>(std::move(self), clock, options);
}

}  // namespace sheaf::cluster
