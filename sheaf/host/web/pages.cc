#include "sheaf/host/web/pages.h"

namespace sheaf::web {

std::vector<Parameter> PageParameters() {
  return {{.name = "limit",
           .description = "How many items at most",
           .type = Parameter::Type::kInteger,
           .fallback = 100,
           .min = 1,
           .max = kPageMax},
          {.name = "after", .description = "Items after this one: `next` of the page before"}};
}

Json PageJson(Json items, const std::string& next) {
  return {{"items", std::move(items)}, {"next", next.empty() ? Json() : Json(next)}};
}

Json PageOf(std::vector<std::pair<std::string, Json>> items, const std::string& after,
            int64_t limit) {
  const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::sort(items.begin(), items.end(), by_key);
  auto at = std::find_if(items.begin(), items.end(),
                         [&](const auto& item) { return item.first > after; });
  Json page = Json::array();
  std::string last;
  for (; at != items.end() && static_cast<int64_t>(page.size()) < limit; ++at) {
    last = at->first;
    page.push_back(std::move(at->second));
  }
  return PageJson(std::move(page), at == items.end() ? "" : last);
}

Json PageSchema(std::initializer_list<std::pair<const char*, const char*>> properties) {
  Json item = {{"type", "object"}, {"properties", Json::object()}};
  for (const auto& [name, type] : properties) item["properties"][name] = {{"type", type}};
  return {{"type", "object"},
          {"required", {"items", "next"}},
          {"properties",
           {{"items", {{"type", "array"}, {"items", std::move(item)}}},
            {"next", {{"type", "string"}, {"nullable", true}}}}}};
}

}  // namespace sheaf::web
