// sheaf put: uploads files to a path; whole, or not at all.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/paths.h"
#include "sheaf/apps/sheaf/session.h"
#include "sheaf/apps/sheaf/terminal.h"
#include "sheaf/apps/sheaf/text.h"
#include "sheaf/apps/sheaf/upload.h"

namespace sheaf::app {
namespace {

struct PutFlags {
  ConnectFlags connect;
  UploadOptions upload;
  std::string path, tier, ttl, delimiter;
  std::vector<std::string> files;
  int64_t if_generation = -1;
  bool no_header = false, json = false;
};

Result<Sink> SinkOf(const PutFlags& flags) {
  Sink sink;
  SHEAF_ASSIGN(sink.path, ParsePath(flags.path));
  Json json{{"path", sink.path.ToJson()}};
  if (!flags.tier.empty()) json["tier"] = flags.tier;
  if (flags.if_generation >= 0) json["if_generation"] = flags.if_generation;
  if (!flags.ttl.empty()) {
    SHEAF_ASSIGN(const Duration ttl, ParseDuration(flags.ttl));
    json["ttl_s"] = std::chrono::duration_cast<std::chrono::seconds>(ttl).count();
  }
  return Sink::FromJson(json, "sink");
}

Status Upload(Session& session, const PutFlags& flags, const Sink& sink,
              arrow::RecordBatchReader& reader) {
  const Instant begun = session.clock().Now();
  SHEAF_ASSIGN(const auto receipt, session.flights().Put(sink, reader, session.context()));
  if (flags.json) {
    const Json json{{"path", sink.path.ToJson()},
                    {"rows", receipt.rows},
                    {"bytes", receipt.bytes},
                    {"generation", receipt.generation},
                    {"durable", receipt.durable}};
    std::printf("%s\n", json.dump().c_str());
    return Done();
  }
  std::printf("%s: %s rows, %s, generation %llu, %s, in %s\n", Printable(sink.path.Text()).c_str(),
              Grouped(receipt.rows).c_str(), core::ToText(Bytes{receipt.bytes}).c_str(),
              static_cast<unsigned long long>(receipt.generation),
              receipt.durable ? "durable" : "not durable",
              Seconds(session.clock().Now() - begun).c_str());
  return Done();
}

int Put(PutFlags& flags) {
  const auto sink = SinkOf(flags);
  if (!sink.ok()) return ReportUsage(sink.error());
  if (flags.delimiter == "\\t" || flags.delimiter == "tab") flags.delimiter = "\t";
  if (flags.delimiter.size() > 1) {
    return ReportUsage(Fail(Kind::kInvalid, "--delimiter is one character"));
  }
  if (!flags.delimiter.empty()) flags.upload.delimiter = flags.delimiter[0];
  flags.upload.header = !flags.no_header;
  return WithSession(flags.connect, ConnectFlags::Otherwise::kDefaultServer, {},
                     [&](Session& session) -> Status {
                       flags.upload.cancel = session.context().cancel;
                       SHEAF_ASSIGN(auto reader, OpenFiles(flags.files, flags.upload));
                       return Upload(session, flags, *sink, *reader);
                     });
}

}  // namespace

void AddPut(Cli& cli) {
  auto flags = std::make_shared<PutFlags>();
  flags->connect.new_state = ConnectFlags::NewState::kMade;
  auto command = cli.Add("put", "Upload files to a path; whole, or not at all");
  command.Text("PATH", flags->path, "namespace/name")
      .Required()
      .Texts("FILE", flags->files, "CSV, JSON lines, Parquet or Arrow; - is standard input")
      .Required()
      .Choice("--format,-F", flags->upload.format, {"csv", "tsv", "json", "parquet", "arrow"},
              "Else the suffix decides")
      .Text("--delimiter", flags->delimiter, "Of CSV: one character, or tab")
      .Flag("--no-header", flags->no_header, "CSV without a line of names")
      .Text("--ttl", flags->ttl, "Keep it this long: 90s, 15m, 2h, 7d")
      .Choice("--tier", flags->tier, {"memory", "disk", "object"}, "Where it is kept (disk)")
      .Number("--if-generation", flags->if_generation, 0, INT64_MAX,
              "Only if the path has this generation now; 0 = nothing there")
      .Flag("--json", flags->json, "The receipt as JSON");
  AddConnection(command, flags->connect, ConnectFlags::Otherwise::kDefaultServer);
  command.Does([flags] { return Put(*flags); })
      .Examples(
          "  sheaf put raw/orders orders.parquet\n"
          "  sheaf put raw/events 2026-*.csv.gz --ttl 7d\n"
          "  generate | sheaf put raw/live - --format csv --if-generation 0");
}

}  // namespace sheaf::app
