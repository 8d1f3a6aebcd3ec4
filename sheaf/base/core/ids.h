// Identifiers. Each is a distinct type, so that a task is never taken for an interest.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sheaf::core {

// 128 random bits as 32 lower-case hexadecimal digits. Tag makes distinct types.
template <typename Tag>
struct Id {
  std::string text;
  auto operator<=>(const Id&) const = default;
  bool empty() const { return text.empty(); }
};

struct TaskTag {};
struct InterestTag {};
struct NodeTag {};
struct RequestTag {};
using TaskId = Id<TaskTag>;
using InterestId = Id<InterestTag>;
using NodeId = Id<NodeTag>;
using RequestId = Id<RequestTag>;

// Bytes from the operating system's generator (getrandom); never fails after boot.
void FillRandom(void* data, size_t size);
std::string RandomHex(size_t bytes);
template <typename Tag>
Id<Tag> NewId() {
  return {RandomHex(16)};
}

// Lower-case hexadecimal of raw bytes.
std::string ToHex(std::string_view raw);

}  // namespace sheaf::core

namespace sheaf {
using core::InterestId;
using core::NodeId;
using core::RequestId;
using core::TaskId;
}  // namespace sheaf

template <typename Tag>
struct std::hash<sheaf::core::Id<Tag>> {
  size_t operator()(const sheaf::core::Id<Tag>& id) const noexcept {
    return std::hash<std::string>()(id.text);
  }
};
