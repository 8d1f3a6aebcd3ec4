#include "sheaf/apps/sheaf/tree.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/text.h"
#include "sheaf/wire/command/path.h"

namespace sheaf::app {
namespace {

struct Row {
  std::string label, outcome, detail;
};

int64_t IntegerAt(const Json& json, const char* key, int64_t fallback) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<int64_t>() : fallback;
}

std::string TextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string PathText(const Json& json) {
  const auto path = Path::FromJson(json, "path");
  return path.ok() ? path->Text() : json.dump();
}

bool IsTask(const Json& json) { return json.contains("service"); }

std::string Sizes(int64_t rows, int64_t bytes) {
  std::string text;
  if (rows >= 0) text = Grouped(rows) + (rows == 1 ? " row" : " rows");
  if (bytes >= 0) text += (text.empty() ? "" : ", ") + core::ToText(Bytes{bytes});
  return text;
}

void Add(std::string& detail, const std::string& more) {
  if (more.empty()) return;
  if (!detail.empty()) detail += "; ";
  detail += more;
}

std::string Times(const Json& task) {
  const auto ms = task.find("ms");
  if (ms == task.end() || !ms->is_object()) return "";
  std::string text;
  for (const char* phase : {"queue", "run", "stream"}) {
    const auto spent = ms->find(phase);
    if (spent == ms->end() || !spent->is_number() || spent->get<double>() < 0.5) continue;
    const Duration time = std::chrono::microseconds(std::llround(spent->get<double>() * 1000));
    text += (text.empty() ? "" : ", ") + std::string(phase) + " " + Seconds(time);
  }
  return text;
}

std::string Detail(const Json& task) {
  std::string detail;
  if (!IsTask(task)) {
    const int64_t generation = IntegerAt(task, "generation", 0);
    return generation == 0 ? "nothing is there" : "generation " + std::to_string(generation);
  }
  const std::string state = TextAt(task, "state");
  if (state == "queued" || state == "errored" || state == "cancelled") Add(detail, state);
  if (state == "executing") {
    const double part = task.contains("progress") && task["progress"].is_number()
                            ? task["progress"].get<double>()
                            : 0;
    Add(detail, "executing " + std::to_string(std::lround(part * 100)) + "%");
  }
  Add(detail, SizeWords(task));
  Add(detail, Times(task));
  if (task.contains("sink") && task["sink"].contains("path")) {
    Add(detail, "-> " + PathText(task["sink"]["path"]));
  } else if (task.contains("path")) {
    Add(detail, "at " + PathText(task["path"]));
  }
  if (const int64_t others = IntegerAt(task, "shared_by", 1); others > 1) {
    Add(detail, "for " + std::to_string(others) + " callers");
  }
  if (task.contains("error") && task["error"].is_object()) {
    Add(detail, TextAt(task["error"], "code") + ": " + TextAt(task["error"], "message"));
  }
  return detail;
}

std::string Label(const Json& task) {
  return IsTask(task) ? TextAt(task, "service") : "path " + PathText(task.value("path", Json()));
}

// `line` leads to this node's own label, `below` to its inputs.
void Walk(const Json& task, const std::string& name, const std::string& line,
          const std::string& below, std::vector<Row>& rows) {
  rows.push_back(
      {line + (name.empty() ? "" : name + ": ") + Label(task), OutcomeWord(task), Detail(task)});
  const auto inputs = task.find("inputs");
  if (inputs == task.end() || !inputs->is_object()) return;
  for (auto input = inputs->begin(); input != inputs->end(); ++input) {
    const bool last = std::next(input) == inputs->end();
    Walk(input.value(), input.key(), below + (last ? "└── " : "├── "),
         below + (last ? "    " : "│   "), rows);
  }
}

}  // namespace

std::string OutcomeWord(const Json& task) {
  if (!IsTask(task)) return "read";
  const std::string outcome = TextAt(task, "outcome");
  return outcome == "attached" ? "shared" : outcome;
}

std::string SizeWords(const Json& task) {
  const int64_t rows = IntegerAt(task, "rows", -1);
  const int64_t bytes = IntegerAt(task, "bytes", -1);
  const std::string state = TextAt(task, "state");
  if (rows > 0 || bytes > 0 || (rows == 0 && state == "completed")) return Sizes(rows, bytes);
  const auto estimate = task.find("estimate");
  if (estimate == task.end() || !estimate->is_object()) return "";
  const std::string guess =
      Sizes(IntegerAt(*estimate, "rows", -1), IntegerAt(*estimate, "bytes", -1));
  return guess.empty() ? "" : "about " + guess;
}

std::string FormatTree(const Json& task) {
  std::vector<Row> rows;
  Walk(task, "", "", "", rows);
  size_t label = 0;
  size_t outcome = 0;
  for (Row& row : rows) {
    for (auto* text : {&row.label, &row.outcome, &row.detail}) *text = Printable(*text);
    label = std::max(label, Width(row.label));
    outcome = std::max(outcome, Width(row.outcome));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line = Pad(row.label, label, Align::kLeft) + "  " +
                       Pad(row.outcome, outcome, Align::kLeft) + "  " + row.detail;
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

}  // namespace sheaf::app
