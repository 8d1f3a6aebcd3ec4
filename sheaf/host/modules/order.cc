#include "sheaf/host/modules/order.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "sheaf/base/core/core.h"

namespace sheaf::modules {
namespace {

// Depth first; what is on the way down twice is a circle.
class Walk {
 public:
  explicit Walk(const std::vector<Needs>& modules)
      : modules_(modules), marks_(modules.size(), Mark::kNew) {
    for (size_t i = 0; i < modules.size(); ++i) places_[modules[i].name] = i;
  }

  Status Visit(size_t place) {
    if (marks_[place] == Mark::kDone) return Done();
    if (marks_[place] == Mark::kOnTheWay) return Circle(place);
    marks_[place] = Mark::kOnTheWay;
    way_.push_back(place);
    for (const auto& need : modules_[place].needs) {
      const auto found = places_.find(need);
      if (found == places_.end()) return Absent(modules_[place].name, need);
      SHEAF_TRY(Visit(found->second));
    }
    way_.pop_back();
    marks_[place] = Mark::kDone;
    order_.push_back(place);
    return Done();
  }
  std::vector<size_t> TakeOrder() { return std::move(order_); }

 private:
  enum class Mark : uint8_t { kNew, kOnTheWay, kDone };

  Error Circle(size_t place) const {
    std::string text = "modules need one another in a circle: ";
    for (auto at = std::find(way_.begin(), way_.end(), place); at != way_.end(); ++at) {
      text += modules_[*at].name + " -> ";
    }
    return Fail(Kind::kInvalid, text + modules_[place].name);
  }
  Error Absent(const std::string& name, const std::string& need) const {
    std::vector<std::string_view> names;
    for (const auto& module : modules_) names.push_back(module.name);
    return Fail(Kind::kInvalid,
                "module '" + name + "' needs an " + core::UnknownWord("module", need, names));
  }

  const std::vector<Needs>& modules_;  // Borrowed for the walk.
  std::map<std::string, size_t> places_;
  std::vector<Mark> marks_;
  std::vector<size_t> way_;
  std::vector<size_t> order_;
};

}  // namespace

Result<std::vector<size_t>> StartOrder(const std::vector<Needs>& modules) {
  Walk walk(modules);
  for (size_t i = 0; i < modules.size(); ++i) SHEAF_TRY(walk.Visit(i));
  return walk.TakeOrder();
}

}  // namespace sheaf::modules
