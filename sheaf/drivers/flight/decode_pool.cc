#include "sheaf/drivers/flight/decode_pool.h"

#include <utility>

namespace sheaf::flight {

DecodePool::Handle DecodePool::Make(Bytes message_bytes_max, std::shared_ptr<Account> account) {
  return Handle(new DecodePool(message_bytes_max, std::move(account)));
}

DecodePool::DecodePool(Bytes message_bytes_max, std::shared_ptr<Account> account)
    : inner_(*arrow::system_memory_pool()),
      limit_(message_bytes_max),
      account_(std::move(account)) {}

void DecodePool::Begin() {
  const int64_t taken = std::exchange(taken_, 0);
  if (account_ != nullptr && taken > 0) account_->Release({taken});
}

void DecodePool::Drop() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

arrow::Status DecodePool::Take(int64_t size) {
  if (size > limit_.count - taken_) {
    return arrow::Status::OutOfMemory("a message that decodes to more than ", core::ToText(limit_),
                                      " is refused");
  }
  if (account_ != nullptr && !account_->TryCharge({size})) {
    return arrow::Status::OutOfMemory("the memory budget for received data is used up");
  }
  taken_ += size;
  return arrow::Status::OK();
}

arrow::Status DecodePool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(Take(size));
  ARROW_RETURN_NOT_OK(inner_.Allocate(size, alignment, out));
  references_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(size, std::memory_order_relaxed);
  return arrow::Status::OK();
}

arrow::Status DecodePool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                     uint8_t** ptr) {
  if (new_size > old_size) ARROW_RETURN_NOT_OK(Take(new_size - old_size));
  ARROW_RETURN_NOT_OK(inner_.Reallocate(old_size, new_size, alignment, ptr));
  bytes_.fetch_add(new_size - old_size, std::memory_order_relaxed);
  return arrow::Status::OK();
}

void DecodePool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  inner_.Free(buffer, size, alignment);
  bytes_.fetch_sub(size, std::memory_order_relaxed);
  Drop();
}

}  // namespace sheaf::flight
