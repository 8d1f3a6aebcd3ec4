// PLAN  holes between blocks that live go back when so many bytes have moved, and not before
#include "sheaf/drivers/grpc/allocator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "sheaf/base/core/resident.h"

namespace sheaf::grpc {
namespace {

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST(FreeMemoryTest, HolesGoBackByBytesMoved) {
  constexpr size_t kBlock = 100'000;  // Below the size that is mapped on its own.
  const auto ledger = Account::Root("node", {});
  FreeMemory memory(ledger, 16_MiB);
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(std::make_unique<char[]>(kBlock));
    std::memset(blocks.back().get(), i, kBlock);
  }
  for (size_t i = 0; i < blocks.size(); i += 2) blocks[i].reset();
  const Bytes before = ResidentAnonymous();
  memory.Moved(1_MiB);
  EXPECT_GT(ResidentAnonymous(), before - 1_MiB);
  memory.Moved(3_MiB);
  EXPECT_LT(ResidentAnonymous(), before - 32_MiB);
}

TEST(FreeMemoryTest, WhatTheLedgerKnowsIsNoReasonToLook) {
  const auto ledger = Account::Root("node", {});
  FreeMemory memory(ledger, 16_MiB);
  const std::vector<char> held(64 << 20, 'x');
  ledger->Charge(64_MiB);
  const Bytes before = ResidentAnonymous();
  memory.Look();
  EXPECT_GE(ResidentAnonymous(), before - 1_MiB);
  EXPECT_EQ(held[held.size() / 2], 'x');
}

#endif

}  // namespace
}  // namespace sheaf::grpc
