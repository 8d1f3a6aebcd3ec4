// From a command to a tree of nodes: identities, pins, hits and plans. Starts nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/host/tasks/own_flights.h"
#include "sheaf/ports/module/service.h"
#include "sheaf/ports/store/store.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::tasks {

struct Node;
using NodePtr = std::shared_ptr<const Node>;  // Shared: runs and Explain keep what was planned.

struct NodeInput {
  Path path;                          // Empty when it is a command, or the server's own flight.
  std::optional<store::Found> found;  // Of a path: pinned once, for the whole tree.
  std::shared_ptr<Node> node;         // Of a command, or of what makes the server's own flight.
};

struct Node {
  std::shared_ptr<const Command> command;
  Identity identity;
  command::Reuse reuse = command::Reuse::kIfSame;  // As it counts here (below if_fresh).
  std::optional<store::Found> hit;                 // Its sink answers; nothing below is planned.
  uint64_t seen_generation = 0;                    // At the sink's path; 0 = nothing there.
  module::Service* service = nullptr;              // Borrowed from its module; null of a hit.
  module::Plan plan;
  std::map<std::string, NodeInput> inputs;
  std::vector<store::SourceToken> tokens;  // Of all sources below, nested hits' copied.
  std::vector<store::InputUsed> used;      // Path inputs below and nested hits.
  // Why its sink cannot be written, if it should come to that: an upload is there.
  std::optional<Error> refused;

  // The plan's input of this name, as its service sees it.
  static module::PlanInput AsPlanInput(const NodeInput& input);
  // True when the consumer reads the input's files itself.
  bool Fuses(const NodeInput& input) const;
};

struct TreeParts {
  store::Store& store;
  // The service of this name; nullptr when this node has none.
  std::function<module::Service*(std::string_view)> service;
  std::function<Error(std::string_view)> unknown_service;
  const OwnFlights& own;
};

// Blocking: plans may stat files. Errors: what planning finds, with the place in the tree
// ("inputs.orders: …"); kNotFound (`only` missed); kConflict (an upload is in the way).
Result<std::shared_ptr<Node>> PlanTree(const std::shared_ptr<const Command>& command,
                                       const std::string& principal, const TreeParts& parts,
                                       module::PlanRequest::For purpose);

// The hit of a command whose tree reads no paths and whose identity is known: no plan, no wait.
std::optional<store::Found> QuickHit(const Command& command, const Identity& identity,
                                     store::Store& store);

// kNotFound for a path input that is absent, with its place in the tree; hits need none.
Error NoSuchInput(const std::string& name, const Path& path);
Status InputsAreThere(const Node& node);

// kFailed naming the first source that changed since the plan was made.
Status SourcesUnchanged(const Node& node, const std::string& principal);

// Refuses sinks under names that modules own; later: roles over namespaces and services.
Status Authorise(const Command& command, const std::string& principal);
Status AuthoriseWrite(const Path& path, const std::string& principal);
// kUnsupported for a tier that this node does not have.
Status TierIsHere(Tier tier);

}  // namespace sheaf::tasks
