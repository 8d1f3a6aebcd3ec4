// Memory that foreign messages ask for while they are decoded: decompressed bodies, above all, of
// which a short message may claim any size.
#pragma once

#include <arrow/memory_pool.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "sheaf/base/core/core.h"

namespace sheaf::flight {

// Allocates from the C library, within a limit a message, and charges an account. Received buffers
// are freed by other threads than decoded them; the C library's free memory can be given back
// from any thread, that of Arrow's default pool by the thread that allocated it alone.
//
// Owner: a decoder, through Handle; the object itself lives until the last of its buffers is
//   freed, which may be long after. Threads: allocation and Begin on the decoder's, freeing on any.
// Errors: OutOfMemory when a limit is hit.
class DecodePool final : public arrow::MemoryPool {
 public:
  struct LetGo {
    void operator()(DecodePool* pool) const { pool->Drop(); }
  };
  using Handle = std::unique_ptr<DecodePool, LetGo>;
  // `account` may be null.
  static Handle Make(Bytes message_bytes_max, std::shared_ptr<Account> account);

  // What was allocated since is released from the account (whoever took the buffers has charged
  // them to his own by now), and the next message may use the limit again.
  void Begin();

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  int64_t bytes_allocated() const override { return bytes_.load(); }
  int64_t max_memory() const override { return inner_.max_memory(); }
  int64_t total_bytes_allocated() const override { return inner_.total_bytes_allocated(); }
  int64_t num_allocations() const override { return inner_.num_allocations(); }
  std::string backend_name() const override { return inner_.backend_name(); }

 private:
  DecodePool(Bytes message_bytes_max, std::shared_ptr<Account> account);
  ~DecodePool() override = default;
  arrow::Status Take(int64_t size);
  void Drop();

  arrow::MemoryPool& inner_;  // Arrow's system pool, which lives as long as the process.
  const Bytes limit_;
  const std::shared_ptr<Account> account_;  // Shared: accounts live as long as their charges.
  int64_t taken_ = 0;                       // Since Begin; of the decoder's thread alone.
  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> references_{1};  // The owner's, and one for each block.
};

}  // namespace sheaf::flight
