// Heartbeats: every node says every ten seconds how it is, and some of its shares change.
#include <sys/resource.h>

#include "bench/persistence.h"

namespace bench {
namespace {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program

constexpr double kRoundSeconds = 10;
constexpr size_t kReports = 50;  // Nodes whose beats came within a tenth of a second or so.

size_t Nodes() { return Sized(200, 5'000, 5'000); }

Node MakeNode(size_t number, int32_t beats) {
  Node node;
  node.Set<"name">("node" + std::to_string(number))
      .Set<"memory">(60)
      .Set<"nodepool">("default")
      .Set<"responsive">(true)
      .Set<"online">(true)
      .Set<"quiesced">(false)
      .Set<"reservable">(true)
      .Set<"quantum">(10)
      .Set<"share_order">(6)
      .Set<"heartbeats">(beats);
  return node;
}

Share MakeShare(size_t node) {
  Share share;
  share.Set<"node">("node" + std::to_string(node))
      .Set<"ducc_dbid">(static_cast<int64_t>(node))
      .Set<"job_id">(static_cast<int64_t>(node % 100))
      .Set<"share_order">(1)
      .Set<"quantum">(10)
      .Set<"state">("Allocated")
      .Set<"jobtype">("Job")
      .Set<"fixed">(false)
      .Set<"purged">(false)
      .Set<"evicted">(false);
  return share;
}

// Of this process, in user and system mode.
double CpuSeconds() {
  rusage usage{};
  SHEAF_CHECK(::getrusage(RUSAGE_SELF, &usage) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void HeartbeatRow() {
  const testkit::TemporaryDirectory directory;
  Open sheaf(directory.path() + "/sheaf.db");
  ResourceState& resources = *sheaf.opened.parts.resources;
  Resources first;
  for (size_t i = 0; i < Nodes(); ++i) {
    first.nodes.push_back(MakeNode(i, 0));
    first.shares.push_back(MakeShare(i));
  }
  Sure(resources.Begin(sheaf.epoch, first));
  int32_t round = 0;
  Against({"heartbeats/" + std::to_string(Nodes()) + " nodes in 10 s, a tenth with a changed share",
           "% of a core", 1, Row::Better::kLower},
          10, [&] {
            const double begun = CpuSeconds();
            ++round;
            for (size_t at = 0; at < Nodes(); at += kReports) {
              std::vector<Node> beats;
              for (size_t i = at; i < at + kReports; ++i) beats.push_back(MakeNode(i, round));
              Sure(resources.PutNodes(sheaf.epoch, beats));
              for (size_t i = at; i < at + kReports; i += 10) {
                ShareChange change;
                change.state = "Round" + std::to_string(round);
                SHEAF_CHECK(Sure(resources.UpdateShare(sheaf.epoch, KeyOf(MakeShare(i)), change)) ==
                            Present::kYes);
              }
            }
            return Measured{100 * (CpuSeconds() - begun) / kRoundSeconds, Nodes()};
          });
}

}  // namespace bench
