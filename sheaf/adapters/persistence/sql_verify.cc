// Summaries equal blobs, or here is where they do not.
//
// Both sides are read in pages and summed up by buckets of their keys; what is in buckets whose
// sums differ is read again and compared row by row. Memory: the sums, a page, and some buckets.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "sheaf/adapters/persistence/sql_pages.h"
#include "sheaf/drivers/files/checksum.h"
#include "sheaf/wire/records/row_json.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

using records::Blob;

constexpr size_t kBuckets = size_t{1} << 16;
constexpr int64_t kRowsAtOnce = 100'000;  // Of differing buckets, compared in one go.
constexpr std::array<const Table*, 3> kDocuments = {&records::kJobHistory, &records::kResHistory,
                                                    &records::kSvcHistory};
constexpr std::array<const Table*, 3> kSummaries = {&records::kJobs, &records::kReservations,
                                                    &records::kProcesses};

// The key of a summary's row, as text that sorts and prints.
std::string KeyText(const Row& row) {
  std::string text(row.table->name);
  for (size_t i = 0; i < row.values.size(); ++i) {
    const auto& property = row.table->ColumnAt(i);
    if (!property.primary_key) continue;
    text += " " + std::string(property.pname) + "=";
    if (const auto* number = std::get_if<int64_t>(&row.values[i])) text += std::to_string(*number);
    if (const auto* words = std::get_if<std::string>(&row.values[i])) text += *words;
  }
  return text;
}

uint64_t HashOf(const std::string& text) { return files::Checksum(text.data(), text.size()); }
size_t BucketOf(const std::string& key) { return HashOf(key) % kBuckets; }

// Of the key and every value; rows are equal when it is, but for one chance in 2^64.
uint64_t HashOf(const Row& row, const std::string& key) {
  return HashOf(key + "\n" + records::ToJson(row).dump(-1, ' ', false,
                                                       Json::error_handler_t::replace));
}

class Verification {
 public:
  Verification(SqlSession& session, const Report& report) : session_(session), report_(report) {}

  Result<std::vector<std::string>> Run() {
    SHEAF_TRY(Count());
    SHEAF_TRY(SumUp());
    std::vector<size_t> differing;
    for (size_t i = 0; i < kBuckets; ++i) {
      if (!(wanted_[i] == found_[i])) differing.push_back(i);
    }
    for (auto at = differing.begin(); at != differing.end() && !full();) {
      std::set<size_t> some;
      int64_t rows = 0;
      for (; at != differing.end() && (some.empty() || rows < kRowsAtOnce); ++at) {
        some.insert(*at);
        rows += wanted_[*at].rows + found_[*at].rows;
      }
      SHEAF_TRY(Compare(some));
    }
    if (full()) {
      differences_.resize(kDifferencesMax);
      differences_.emplace_back("and more: these are the first " +
                                std::to_string(kDifferencesMax));
    }
    return std::move(differences_);
  }

 private:
  struct Sum {
    uint64_t hashes = 0;
    int64_t rows = 0;
    bool operator==(const Sum&) const = default;
    void Add(uint64_t hash) {
      hashes += hash;
      ++rows;
    }
  };
  using Take = std::function<void(Row summary, std::string key)>;
  enum class Damage : uint8_t { kNamed, kKnown };

  bool full() const { return differences_.size() > kDifferencesMax; }

  Status Count() {
    for (const auto& tables : {kDocuments, kSummaries}) {
      for (const Table* table : tables) {
        SHEAF_ASSIGN(const int64_t rows, CountRows(session_, *table));
        total_ += rows;
      }
    }
    return Done();
  }

  Status SumUp() {
    SHEAF_TRY(ScanDocuments(Damage::kNamed, [&](const Row& row, const std::string& key) {
      wanted_[BucketOf(key)].Add(HashOf(row, key));
    }));
    return ScanSummaries([&](const Row& row, const std::string& key) {
      found_[BucketOf(key)].Add(HashOf(row, key));
    });
  }

  Status Compare(const std::set<size_t>& buckets) {
    std::map<std::string, Row> wanted;
    done_ = 0;
    SHEAF_TRY(ScanDocuments(Damage::kKnown, [&](Row row, std::string key) {
      if (buckets.contains(BucketOf(key))) {
        wanted.insert_or_assign(std::move(key), std::move(row));
      }
    }));
    SHEAF_TRY(ScanSummaries([&](const Row& row, const std::string& key) {
      if (!buckets.contains(BucketOf(key))) return;
      const auto found = wanted.find(key);
      if (found == wanted.end()) return Differs(key, "no document has it");
      if (!(found->second == row)) Differs(key, "differs from its document");
      wanted.erase(found);
    }));
    for (const auto& [key, row] : wanted) Differs(key, "its row is missing");
    return Done();
  }

  void Differs(const std::string& what, std::string_view how) {
    if (!full()) differences_.push_back(what + ": " + std::string(how));
  }

  Status ScanDocuments(Damage damage, const Take& take) {
    for (const Table* table : kDocuments) {
      SHEAF_TRY(ReadPages(session_, *table, {}, [&](const std::vector<Row>& page) -> Status {
        for (const Row& row : page) TakeDocument(row, damage, take);
        return Read(page.size());
      }));
    }
    return Done();
  }

  void TakeDocument(const Row& row, Damage damage, const Take& take) {
    const std::string name = std::string(row.table->name) + " " + Get<std::string>(row, "type") +
                             " " + std::to_string(Get<int64_t>(row, "ducc_id"));
    const auto work = DecodeWork(Get<Blob>(row, "work").bytes);
    if (!work.ok()) {
      if (damage == Damage::kNamed) Differs(name, work.error().message);
      return;
    }
    if (damage == Damage::kNamed && (work->id != Get<int64_t>(row, "ducc_id") ||
                                     WorkTypeName(work->type) != Get<std::string>(row, "type"))) {
      Differs(name, "its document is that of another");
    }
    for (Row& summary : SummaryRows(*work)) {
      std::string key = KeyText(summary);
      take(std::move(summary), std::move(key));
    }
  }

  Status ScanSummaries(const Take& take) {
    for (const Table* table : kSummaries) {
      SHEAF_TRY(ReadPages(session_, *table, {}, [&](std::vector<Row> page) -> Status {
        const size_t rows = page.size();
        for (Row& row : page) {
          std::string key = KeyText(row);
          take(std::move(row), std::move(key));
        }
        return Read(rows);
      }));
    }
    return Done();
  }

  Status Read(size_t rows) {
    done_ += static_cast<int64_t>(rows);
    return report_ ? report_({"verifying", done_, total_}) : Done();
  }

  SqlSession& session_;
  const Report& report_;
  std::vector<Sum> wanted_ = std::vector<Sum>(kBuckets);
  std::vector<Sum> found_ = std::vector<Sum>(kBuckets);
  std::vector<std::string> differences_;
  int64_t done_ = 0, total_ = 0;
};

}  // namespace

Result<std::vector<std::string>> VerifyHistory(SqlSession& session, const Report& report) {
  return Verification(session, report).Run();
}

}  // namespace sheaf::persistence
