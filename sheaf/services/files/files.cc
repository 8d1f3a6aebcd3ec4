#include "sheaf/services/files/files.h"

#include <arrow/compute/initialize.h>
#include <unistd.h>

#include <climits>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/find.h"
#include "sheaf/services/files/roots.h"
#include "sheaf/services/files/scan.h"
#include "sheaf/services/files/spec.h"
#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/command/ticket.h"

namespace sheaf::files {
namespace {

constexpr size_t kAgreedMax = 1024;
constexpr size_t kLookAheadFiles = 256;  // Footers read for a schema or an estimate.

struct FilesPlan final : module::PlanState {
  Spec spec;
  Found found;
};

class FilesService final : public module::Service {
 public:
  FilesService(Roots roots, module::Host& host)
      : roots_(std::move(roots)),
        clock_(host.clock()),
        account_(host.account()),
        probe_(host.metrics()) {}

  std::string_view name() const override { return "files"; }
  const Roots& roots() const { return roots_; }

  Result<module::Plan> MakePlan(const module::PlanRequest& request) override {
    if (!request.inputs.empty()) {
      return Fail(Kind::kInvalid, "the service 'files' takes no inputs, but has '" +
                                      request.inputs.begin()->first + "'");
    }
    auto state = std::make_shared<FilesPlan>();
    SHEAF_ASSIGN(state->spec, ParseSpec(request.spec));
    auto found = FindFiles(state->spec, roots_);
    if (!found.ok()) {
      if (found.error().kind == Kind::kForbidden) probe_.refused.Increment();
      return std::move(found).error();
    }
    state->found = std::move(*found);
    module::Plan plan;
    plan.estimate.bytes = 0;
    for (const FoundFile& file : state->found.files) {
      plan.sources.push_back({"file://" + file.path(), file.Token()});
      plan.estimate.bytes += file.size;
    }
    if (state->found.format == Format::kParquet && state->spec.filter.empty()) {
      plan.parquet.emplace();
      for (const FoundFile& file : state->found.files) plan.parquet->files.push_back(file.path());
      plan.parquet->columns = state->spec.columns;
    }
    if (plan.parquet && request.purpose == module::PlanRequest::For::kRun) {
      SHEAF_ASSIGN(const bool alike, FootersAgree(*state, plan.sources));
      if (!alike) plan.parquet.reset();
    }
    if (request.purpose == module::PlanRequest::For::kSchema) {
      const ReadContext reading{{}, {}, &clock_, nullptr, &probe_};
      SHEAF_ASSIGN(const Outlook outlook,
                   LookAhead(state->spec, state->found, reading, account_, kLookAheadFiles));
      plan.schema = outlook.shape.output;
      plan.estimate.rows = outlook.rows;
      if (outlook.bytes >= 0) plan.estimate.bytes = outlook.bytes;
      if (!outlook.alike_elsewhere) plan.parquet.reset();
    }
    plan.state = std::move(state);
    return plan;
  }

  Status Run(const module::Plan& plan, const std::map<std::string, module::RunInput>& inputs,
             module::ResultWriter& writer, const module::RunContext& context) override {
    SHEAF_CHECK(inputs.empty());
    const auto* state = dynamic_cast<const FilesPlan*>(plan.state.get());
    SHEAF_CHECK(state != nullptr);
    return Scan(state->spec, state->found, writer, context, {clock_, helpers_, probe_});
  }

 private:
  // A consumer may read these files itself, and its reader may take what ours refuses: damaged
  // footers, schemas that differ. So they are looked at first, once for each state of the files.
  // Returns whether it may (Reader::AlikeElsewhere).
  Result<bool> FootersAgree(const FilesPlan& plan, const std::vector<store::SourceToken>& sources) {
    std::string key;
    for (const auto& source : sources) key += source.source + '\0' + source.token + '\0';
    for (const auto& column : plan.spec.columns) key += column + '\0';
    key = command::Sha256(key);  // Thousands of names are many bytes to keep.
    {
      MutexLock lock(mutex_);
      if (const auto found = agreed_.find(key); found != agreed_.end()) return found->second;
    }
    const ReadContext reading{{}, {}, &clock_, nullptr, &probe_};
    SHEAF_ASSIGN(const Outlook outlook,
                 LookAhead(plan.spec, plan.found, reading, account_, plan.found.files.size()));
    MutexLock lock(mutex_);
    if (agreed_.size() >= kAgreedMax) agreed_.clear();
    agreed_.emplace(std::move(key), outlook.alike_elsewhere);
    return outlook.alike_elsewhere;
  }

  const Roots roots_;
  Clock& clock_;                            // Borrowed from the host.
  const std::shared_ptr<Account> account_;  // Shared with the host: what planning holds.
  Probe probe_;
  Mutex mutex_;
  // Digests of files that agree, and whether others may read them.
  std::map<std::string, bool> agreed_ SHEAF_GUARDED_BY(mutex_);
  // The second threads of runs. Nothing here uses Arrow's own pools, whose size is the machine's.
  Executor helpers_{{.name = "files", .threads_max = 2, .queue_max = 64}};
};

class FilesModule final : public module::Module {
 public:
  std::string_view name() const override { return "files"; }

  Status Start(module::Host& host) override {
    SHEAF_ARROW_TRY(Kind::kInternal, arrow::compute::Initialize());
    std::string here(PATH_MAX, '\0');
    if (::getcwd(here.data(), here.size()) == nullptr) {
      return Fail(Kind::kFailed, "no current directory");
    }
    here.resize(here.find('\0'));
    SHEAF_ASSIGN(auto roots, Roots::FromSetting(host.Setting("roots").value_or(Json()), here));
    host.log().Info("files.start", {{"roots", roots.Names()}});
    service_.emplace(std::move(roots), host);
    return Done();
  }

  std::vector<module::Service*> services() override {
    return service_.has_value() ? std::vector<module::Service*>{&*service_}
                                : std::vector<module::Service*>{};
  }

  module::Health Check() override {
    if (!service_.has_value()) return {module::Health::State::kNotReady, "not started"};
    return {module::Health::State::kReady, ""};
  }

  void Stop() override { service_.reset(); }

 private:
  std::optional<FilesService> service_;
};

}  // namespace

std::unique_ptr<module::Module> MakeFilesModule() { return std::make_unique<FilesModule>(); }

}  // namespace sheaf::files
