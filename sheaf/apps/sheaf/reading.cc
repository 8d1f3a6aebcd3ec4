#include "sheaf/apps/sheaf/reading.h"

#include <cstdio>
#include <utility>

#include "sheaf/apps/sheaf/terminal.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

// "hit", "run", "shared": what the answer cost.
std::string HowItCame(const Json& metadata) {
  if (metadata.value("hit", false)) return "hit";
  const std::string outcome = metadata.value("outcome", "");
  return outcome == "attached" ? "shared" : outcome;
}

std::string Summary(int64_t rows, int64_t shown, Duration spent, const Json& metadata) {
  std::string text = Grouped(rows) + (rows == 1 ? " row" : " rows");
  if (shown < rows) text += ", " + Grouped(shown) + " shown (--rows shows more)";
  text += " in " + Seconds(spent);
  if (const std::string how = HowItCame(metadata); !how.empty()) text += ", " + how;
  return text;
}

}  // namespace

void AddReading(Command& command, ReadFlags& flags) {
  command.Group("Output")
      .Choice("--format,-F", flags.format,
              {"table", "csv", "json", "ndjson", "arrow", "parquet", "none"},
              "Else the suffix of the file decides, else a table")
      .Text("--output,-o", flags.file, "Write to this file; it appears when it is whole")
      .Flag("--json", flags.json, "The same as --format json")
      .Number("--rows,-n", flags.rows_max, 0, 1'000'000, "Rows that a table shows (100)")
      .Flag("--quiet,-q", flags.quiet, "No progress and no summary")
      .Flag("--as-python", flags.as_python, "Print this call in Python instead of making it")
      .Group("");
}

Status CheckReading(ReadFlags& flags) {
  if (flags.json && !flags.format.empty() && flags.format != "json") {
    return Fail(Kind::kInvalid, "--json and --format " + flags.format + " contradict each other");
  }
  if (flags.json) flags.format = "json";
  SHEAF_ASSIGN(flags.chosen, ParseFormat(flags.format, flags.file));
  return Done();
}

Status ReadOut(Session& session, flights::GetRequest request, const ReadFlags& flags) {
  Clock& clock = session.clock();
  const Instant begun = clock.Now();
  ProgressLine line(clock);
  const bool talks = !flags.quiet && ErrorIsTerminal();
  request.on_progress = [&](const Json& progress) {
    if (talks) line.Show(progress);
  };
  SHEAF_ASSIGN(flights::Stream stream, session.flights().Get(request, session.context()));
  const bool to_terminal = flags.file.empty() && OutputIsTerminal();
  OutputOptions options{.format = flags.chosen,
                        .file = flags.file,
                        .rows_max = flags.rows_max,
                        .width = TerminalWidth()};
  if (to_terminal && flags.chosen != Format::kTable) line.Clear();
  if (talks && (!to_terminal || flags.chosen == Format::kTable)) {
    options.on_rows = [&](int64_t rows) { line.ShowRows(rows); };
  }
  std::string summary;
  const auto footer = [&](int64_t rows) {
    line.Clear();
    const bool table = flags.chosen == Format::kTable;
    summary = Summary(rows, table ? std::min(rows, flags.rows_max) : rows, clock.Now() - begun,
                      stream.metadata);
    return flags.quiet ? "" : "(" + summary + ")";
  };
  SHEAF_TRY(WriteOutput(*stream.reader, options, footer));
  const bool told = flags.chosen == Format::kTable && flags.file.empty();
  if (!flags.quiet && !told && (talks || !flags.file.empty() || flags.chosen == Format::kNone)) {
    std::fprintf(stderr, "%s%s\n", summary.c_str(),
                 flags.file.empty() ? "" : (" -> " + Printable(flags.file)).c_str());
  }
  return Done();
}

}  // namespace sheaf::app
