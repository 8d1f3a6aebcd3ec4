// Bytes as a data file, through the reading path of a run: the first byte chooses the format, the
// rest is the file, in memory behind a descriptor.
#include <arrow/api.h>
#include <arrow/compute/initialize.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sheaf/services/files/bounded_pool.h"
#include "sheaf/services/files/reader.h"
#include "sheaf/services/files/scan.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr Bytes kPoolBytes = 256_MiB;
constexpr int kBatchesMax = 64;  // A few bytes may stand for any number of rows.

NameFacts FactsOf(uint8_t choice) {
  switch (choice) {
    case 'p': return {Format::kParquet};
    case 'c': return {Format::kCsv};
    case 'z': return {Format::kCsv, Packing::kGzip};
    case 'j': return {Format::kJson};
    case 'o': return {Format::kOrc};
    default: return {Format::kArrow};
  }
}

// Every error is fine; a crash, a hang and memory beyond the pool's limit are not.
Status ReadAll(const std::shared_ptr<SourceFile>& file, const ReadPlan& plan) {
  SHEAF_ASSIGN(const auto reader, OpenReader(file, plan));
  Spec spec;
  for (const auto& field : reader->schema()->fields()) {
    spec.filter.push_back({field->name(), Op::kNotNull, {}, "filter"});
    if (field->type()->id() == arrow::Type::INT64) {
      spec.filter.push_back({field->name(), Op::kLess, 100, "filter"});
    }
    if (spec.filter.size() > 4) break;
  }
  SHEAF_ASSIGN(const Shape shape, MakeShape(spec, reader->schema(), false));
  SHEAF_ASSIGN(const auto columns, MatchColumns(shape, reader->schema(), plan.name, plan.first));
  SHEAF_TRY(reader->Select(columns, shape.filter));
  const auto& pool = file->context().pool;
  Pinner pinner(pool);
  for (int n = 0; n < kBatchesMax; ++n) {
    SHEAF_ASSIGN(const Batch batch, reader->Next());
    if (batch == nullptr) break;
    SHEAF_TRY(columnar::ValidateForeign(*batch));
    const Batch slice = batch->Slice(0, 100'000);
    SHEAF_ASSIGN(const Batch kept, shape.filter.Apply(slice, pool.get()));
    const Batch pinned = pinner.Pin(kept);
    SHEAF_CHECK(pinned->num_rows() <= batch->num_rows());
    pool->Settle();
  }
  return Done();
}

}  // namespace
}  // namespace sheaf::files

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  SHEAF_CHECK(arrow::compute::Initialize().ok());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sheaf::files;
  if (size < 1) return 0;
  Descriptor fd(::memfd_create("fuzz", MFD_CLOEXEC));
  SHEAF_CHECK(bool(fd));
  SHEAF_CHECK(::write(fd.get(), data + 1, size - 1) == static_cast<ssize_t>(size - 1));
  const auto pool = std::make_shared<BoundedPool>(nullptr, kPoolBytes);
  {
    const auto file = std::make_shared<SourceFile>(std::move(fd), static_cast<int64_t>(size - 1),
                                                   ReadContext{{}, {}, nullptr, pool, nullptr});
    ReadPlan plan;
    plan.name = plan.first = "fuzz";
    plan.facts = FactsOf(data[0]);
    const sheaf::Status status = ReadAll(file, plan);
    SHEAF_CHECK(status.ok() || !status.error().message.empty());
  }
  SHEAF_CHECK(pool->bytes_allocated() == 0);
  return 0;
}
