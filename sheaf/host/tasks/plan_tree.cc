#include "sheaf/host/tasks/plan_tree.h"

#include <algorithm>
#include <array>

namespace sheaf::tasks {
namespace {

using command::Reuse;
using store::SourceToken;

std::string PathToken(const Path& path) { return "flight:" + path.Text(); }

bool Fresh(const store::FlightRecord& record, std::vector<SourceToken> now) {
  auto then = record.from.sources;
  for (const auto* tokens : {&then, &now}) {
    for (const auto& token : *tokens) {
      if (token.token.empty()) return false;  // A source without tokens is never fresh.
    }
  }
  const auto less = [](const SourceToken& a, const SourceToken& b) {
    return std::tie(a.source, a.token) < std::tie(b.source, b.token);
  };
  std::sort(then.begin(), then.end(), less);
  std::sort(now.begin(), now.end(), less);
  return then == now;
}

class Planner {
 public:
  Planner(const TreeParts& parts, std::string principal, module::PlanRequest::For purpose)
      : parts_(parts), principal_(std::move(principal)), purpose_(purpose) {}

  void Pin(const Command& command) {
    for (const Path& path : command::InputPaths(command)) {
      if (parts_.own.At(path) != nullptr) {
        pins_[path] = parts_.own.generation();
        continue;
      }
      auto found = parts_.store.Lookup(path);
      pins_[path] = found ? found->record->generation : 0;
      found_[path] = std::move(found);
    }
  }

  Result<std::shared_ptr<Node>> Prepare(std::shared_ptr<const Command> command, bool below_fresh) {
    auto node = std::make_shared<Node>();
    node->identity = command::IdentityOf(*command, pins_);
    node->command = std::move(command);
    bool want_fresh = false;
    if (node->command->sink.has_value()) {
      node->reuse = node->command->sink->reuse;
      if (below_fresh && node->reuse == Reuse::kIfSame) node->reuse = Reuse::kIfFresh;
      want_fresh = node->reuse == Reuse::kIfFresh;
      auto answered = Probe(*node);
      if (!answered.ok()) {
        // Nobody may ask: what a fresh flight above answers, nothing below it can refuse.
        if (!below_fresh || node->reuse != Reuse::kIfFresh) return std::move(answered).error();
        node->refused = std::move(answered).error();
      } else if (*answered) {
        return node;
      }
    }
    SHEAF_TRY(PlanBelow(*node, below_fresh || want_fresh));
    if (want_fresh) TakeFreshHit(*node);
    return node;
  }

 private:
  // True when the sink's committed flight answers without a look at its sources.
  Result<bool> Probe(Node& node) {
    const Path& path = node.command->sink->path;
    auto found = parts_.store.Lookup(path);
    if (found.has_value()) node.seen_generation = found->record->generation;
    switch (node.reuse) {
      case Reuse::kNever: return false;
      case Reuse::kOnly:
        if (!found.has_value()) {
          return Fail(Kind::kNotFound, "no flight at '" + path.Text() +
                                           "', and reuse \"only\" never runs the command");
        }
        break;
      case Reuse::kIfExists:
        if (!found.has_value()) return false;
        break;
      case Reuse::kIfSame:
      case Reuse::kIfFresh:
        if (!found.has_value()) return false;
        if (found->record->from.identity.empty()) {
          return Fail(Kind::kConflict,
                      "the flight at '" + path.Text() +
                          "' was uploaded, not made by a command; choose another sink, drop it, "
                          "or say reuse \"never\" to replace it or \"if_exists\" to use it",
                      Json({{"generation", found->record->generation}}).dump());
        }
        if (node.reuse == Reuse::kIfFresh) return false;  // Its sources must be looked at.
        if (found->record->from.identity != node.identity) return false;
        if (found->flight->damaged()) return false;  // Run again: what that commits replaces it.
        break;
    }
    TakeHit(node, std::move(*found));
    return true;
  }

  void TakeHit(Node& node, store::Found found) {
    const auto& record = *found.record;
    const bool by_name = node.reuse == Reuse::kIfExists || node.reuse == Reuse::kOnly;
    if (by_name) {
      node.tokens = {{PathToken(record.path), std::to_string(record.generation)}};
    } else {
      node.tokens = record.from.sources;
    }
    node.used = {{"", record.path, record.generation}};
    node.service = nullptr;
    node.plan = {};
    node.plan.schema = found.flight->schema();
    node.plan.estimate = {record.rows, record.bytes};
    node.hit = std::move(found);
  }

  void TakeFreshHit(Node& node) {
    auto found = parts_.store.Lookup(node.command->sink->path);
    if (!found.has_value() || found->record->from.identity != node.identity) return;
    if (found->record->generation != node.seen_generation || found->flight->damaged()) return;
    if (Fresh(*found->record, node.tokens)) TakeHit(node, std::move(*found));
  }

  Status PlanBelow(Node& node, bool below_fresh) {
    const Command& command = *node.command;
    node.service = parts_.service(command.service);
    if (node.service == nullptr) return parts_.unknown_service(command.service);
    module::PlanRequest request{
        .spec = command.spec, .inputs = {}, .principal = principal_, .purpose = purpose_};
    for (const auto& [name, input] : command.inputs) {
      NodeInput& mine = node.inputs[name];
      const auto made = input.command != nullptr ? input.command : parts_.own.At(input.path);
      if (made != nullptr) {
        auto child = Prepare(made, below_fresh);
        if (!child.ok()) return std::move(child).error().In("inputs." + name);
        mine.node = std::move(child).value();
        Append(node, name, *mine.node);
        if (!input.path.empty()) node.used.push_back({name, input.path, pins_.at(input.path)});
      } else {
        mine.path = input.path;
        mine.found = found_.at(input.path);
        const std::string generation = std::to_string(pins_.at(input.path));
        node.tokens.push_back({PathToken(input.path), generation});
        node.used.push_back({name, input.path, pins_.at(input.path)});
      }
      request.inputs.emplace(name, Node::AsPlanInput(mine));
    }
    SHEAF_ASSIGN(node.plan, node.service->MakePlan(request));
    node.tokens.insert(node.tokens.end(), node.plan.sources.begin(), node.plan.sources.end());
    return Done();
  }

  static void Append(Node& node, const std::string& name, const Node& child) {
    node.tokens.insert(node.tokens.end(), child.tokens.begin(), child.tokens.end());
    for (auto used : child.used) {
      used.name = used.name.empty() ? name : name + "." + used.name;
      node.used.push_back(std::move(used));
    }
  }

  const TreeParts& parts_;
  const std::string principal_;
  const module::PlanRequest::For purpose_;
  command::Pins pins_;
  std::map<Path, std::optional<store::Found>> found_;
};

// What Prepare left open: a refusal below that no hit made needless, with its place in the tree.
Status NothingRefused(const Node& node) {
  if (node.hit.has_value()) return Done();
  if (node.refused.has_value()) return *node.refused;
  for (const auto& [name, input] : node.inputs) {
    if (input.node == nullptr) continue;
    if (auto status = NothingRefused(*input.node); !status.ok()) {
      return std::move(status).error().In("inputs." + name);
    }
  }
  return Done();
}

}  // namespace

module::PlanInput Node::AsPlanInput(const NodeInput& input) {
  if (input.node == nullptr) {
    if (!input.found.has_value()) return {};
    return {input.found->flight->schema(),
            {input.found->record->rows, input.found->record->bytes},
            std::nullopt};
  }
  const Node& child = *input.node;
  const bool plain = !child.hit.has_value() && !child.command->sink.has_value();
  return {child.plan.schema, child.plan.estimate, plain ? child.plan.parquet : std::nullopt};
}

bool Node::Fuses(const NodeInput& input) const {
  return plan.fuses_parquet && AsPlanInput(input).parquet.has_value();
}

Result<std::shared_ptr<Node>> PlanTree(const std::shared_ptr<const Command>& command,
                                       const std::string& principal, const TreeParts& parts,
                                       module::PlanRequest::For purpose) {
  SHEAF_TRY(Authorise(*command, principal));
  Planner planner(parts, principal, purpose);
  planner.Pin(*command);
  SHEAF_ASSIGN(auto root, planner.Prepare(command, false));
  SHEAF_TRY(NothingRefused(*root));
  return root;
}

std::optional<store::Found> QuickHit(const Command& command, const Identity& identity,
                                     store::Store& store) {
  if (!command.sink.has_value()) return std::nullopt;
  const Reuse reuse = command.sink->reuse;
  if (reuse == Reuse::kNever || reuse == Reuse::kIfFresh) return std::nullopt;
  auto found = store.Lookup(command.sink->path);
  if (!found.has_value()) return std::nullopt;
  if (reuse == Reuse::kIfSame &&
      (found->record->from.identity != identity || found->flight->damaged())) {
    return std::nullopt;
  }
  return found;
}

Error NoSuchInput(const std::string& name, const Path& path) {
  return Fail(Kind::kNotFound, "inputs." + name + ": no flight at '" + path.Text() +
                                   "'; list what is there with ListFlights or `sheaf ls`");
}

Status InputsAreThere(const Node& node) {
  if (node.hit.has_value()) return Done();
  for (const auto& [name, input] : node.inputs) {
    if (input.node == nullptr && !input.found.has_value()) return NoSuchInput(name, input.path);
    if (input.node == nullptr) continue;
    if (auto status = InputsAreThere(*input.node); !status.ok()) {
      return std::move(status).error().In("inputs." + name);
    }
  }
  return Done();
}

Status SourcesUnchanged(const Node& node, const std::string& principal) {
  if (!node.plan.sources.empty()) {
    module::PlanRequest request{.spec = node.command->spec, .inputs = {}, .principal = principal};
    for (const auto& [name, input] : node.inputs) {
      request.inputs.emplace(name, Node::AsPlanInput(input));
    }
    auto again = node.service->MakePlan(request);
    if (!again.ok() || again->sources != node.plan.sources) {
      std::string which = node.plan.sources.front().source;
      for (size_t i = 0; again.ok() && i < node.plan.sources.size(); ++i) {
        if (i < again->sources.size() && again->sources[i] == node.plan.sources[i]) continue;
        which = node.plan.sources[i].source;
        break;
      }
      return Fail(Kind::kFailed,
                  "the source '" + which + "' changed while it was read; run the command again");
    }
  }
  for (const auto& [name, input] : node.inputs) {
    if (input.node != nullptr && node.Fuses(input)) {
      SHEAF_TRY(SourcesUnchanged(*input.node, principal));
    }
  }
  return Done();
}

Status TierIsHere(Tier tier) {
  if (tier != Tier::kObject) return Done();
  return Fail(Kind::kUnsupported,
              "the tier \"object\" is not configured on this node; use \"disk\" or \"memory\"");
}

Status AuthoriseWrite(const Path& path, const std::string&) {
  constexpr std::array<std::string_view, 2> owned = {"sheaf", "segments"};
  if (std::find(owned.begin(), owned.end(), path.space()) == owned.end()) return Done();
  return Fail(Kind::kForbidden, "the namespace '" + path.space() +
                                    "' belongs to a module of the server; nothing can be kept, "
                                    "dropped or pinned there: choose another first component");
}

Status Authorise(const Command& command, const std::string& principal) {
  if (command.sink.has_value()) {
    SHEAF_TRY(AuthoriseWrite(command.sink->path, principal));
    SHEAF_TRY(TierIsHere(command.sink->tier));
  }
  for (const auto& [name, input] : command.inputs) {
    if (input.command == nullptr) continue;
    if (auto status = Authorise(*input.command, principal); !status.ok()) {
      return std::move(status).error().In("inputs." + name);
    }
  }
  return Done();
}

}  // namespace sheaf::tasks
