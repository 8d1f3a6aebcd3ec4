#include "sheaf/apps/sheaf/backend.h"

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "sheaf/adapters/persistence/persistence.h"

namespace sheaf::app {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

}  // namespace

// A new back end is one more `if` here, and its form in wire/settings.
Result<Backend> OpenBackend(const std::string& text, const std::string& state_dir,
                            Executor& background) {
  if (text == "none") {
    return Backend{.parts = persistence::OpenNull(), .shown = text, .keeps = false};
  }
  if (text == "memory:") return Backend{.parts = persistence::OpenMemory(), .shown = text};
  if (text.starts_with(kSqlite)) {
    const auto file = std::filesystem::path(state_dir) / text.substr(kSqlite.size());
    persistence::SqliteOptions options;
    options.path = file.lexically_normal().string();
    options.background = &background;
    auto opened = persistence::OpenSqlite(std::move(options));
    if (!opened.ok()) return std::move(opened).error().In("persistence.backend");
    return Backend{.parts = std::move(opened->parts), .shown = text};
  }
  const std::string scheme = text.substr(0, text.find(':'));
  return Fail(Kind::kUnsupported, "persistence.backend: '" + scheme +
                                      ":' is not in this version; use sqlite:FILE, memory: or "
                                      "none");
}

chronicle::ChronicleOptions ChronicleOptionsOf(const Settings& settings, const Backend& backend) {
  chronicle::ChronicleOptions options;
  options.place = {settings.node.name, ::getpid()};
  options.facts = {.name = settings.node.name,
                   .address = settings.flight.listen.Text(),
                   .memory_gib = static_cast<int32_t>(settings.memory.budget.count >> 30),
                   .slots = static_cast<int32_t>(settings.tasks.running_max)};
  options.backend = backend.shown;
  using Keeps = chronicle::ChronicleOptions::Keeps;
  options.keeps = backend.keeps ? Keeps::kAll : Keeps::kNothing;
  return options;
}

double RandomPart() {
  uint32_t random = 0;
  core::FillRandom(&random, sizeof random);
  return random / (UINT32_MAX + 1.0);
}

}  // namespace sheaf::app
