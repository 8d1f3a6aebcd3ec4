// ResourceState over any SQL store; see sql_store.h.
#pragma once

#include <utility>

#include "sheaf/adapters/persistence/sql_history.h"

namespace sheaf::persistence {

class SqlResources final : public ResourceState {
 public:
  explicit SqlResources(SqlStorePtr store) : store_(std::move(store)) {}
  Result<int64_t> Begin(const Epoch& epoch, const Resources& resources) override;
  Status PutNodes(const Epoch& epoch, std::span<const Node> nodes) override;
  Status AddShare(const Epoch& epoch, const Share& share) override;
  Result<Present> UpdateShare(const Epoch& epoch, const ShareKey& key,
                              const ShareChange& change) override;
  Result<Present> MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) override;
  Result<Present> RemoveShare(const Epoch& epoch, const ShareKey& key) override;
  Status SetLoad(const Epoch& epoch, std::span<const Load> load) override;
  Result<Resources> Read() override;
  Result<Node> Machine(std::string_view name) override;

 private:
  // Calls `act` with the share's row if it is there, then counts its node anew.
  Result<Present> Touch(const Epoch& epoch, const ShareKey& key,
                        const std::function<Status(SqlSession&, Row&)>& act);
  const SqlStorePtr store_;
};

}  // namespace sheaf::persistence
