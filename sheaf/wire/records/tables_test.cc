// PLAN  every element of the contract's table is a property here, in its order, and no other ·
//       the page of documentation is the one in docs
#include "sheaf/wire/records/tables.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sheaf/wire/records/page.h"

namespace sheaf::records {
namespace {

std::string SourceFile(const std::string& path) {
  const char* root = std::getenv("SHEAF_SOURCE_DIR");
  return (root == nullptr ? std::string(".") : std::string(root)) + "/" + path;
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  return fields;
}

std::string UpstreamType(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return "String";
    case ColumnType::kBlob: return "Blob";
    case ColumnType::kBoolean: return "Boolean";
    case ColumnType::kInteger: return "Integer";
    case ColumnType::kLong: return "Long";
    case ColumnType::kDouble: return "Double";
    case ColumnType::kUuid: return "UUID";
  }
  __builtin_unreachable();
}

TEST(TablesTest, EveryElementOfTheContractIsHereAndNoOther) {
  std::ifstream file(SourceFile("tests/data/ducc_schema.tsv"));
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  size_t table_at = 0, element_at = 0, compared = 0;
  while (std::getline(file, line)) {
    const auto want = Fields(line);
    ASSERT_EQ(want.size(), 11u) << line;
    ASSERT_LT(table_at, kTables.size()) << line;
    if (element_at == kTables[table_at]->properties.size()) {
      ++table_at;
      element_at = 0;
      ASSERT_LT(table_at, kTables.size()) << line;
    }
    const Table& table = *kTables[table_at];
    const Property& have = table.properties[element_at++];
    EXPECT_EQ(table.interface_name, want[0]) << line;
    EXPECT_EQ(table.enum_name, want[1]) << line;
    EXPECT_EQ(table.name, want[2]) << line;
    EXPECT_EQ(have.pname, want[4]) << line;
    EXPECT_EQ(have.column, want[5]) << line;
    EXPECT_EQ(UpstreamType(have.type), want[6]) << line;
    EXPECT_EQ(have.primary_key ? "1" : "0", want[7]) << line;
    EXPECT_EQ(have.index ? "1" : "0", want[8]) << line;
    EXPECT_EQ(have.is_private ? "1" : "0", want[9]) << line;
    EXPECT_EQ(have.is_meta ? "1" : "0", want[10]) << line;
    ++compared;
  }
  EXPECT_EQ(compared, 210u);
  EXPECT_EQ(table_at + 1, kTables.size());
  EXPECT_EQ(element_at, kTables.back()->properties.size());
}

TEST(TablesTest, TablesAreFoundByName) {
  EXPECT_EQ(FindTable("jobs"), &kJobs);
  EXPECT_EQ(FindTable("Jobs"), nullptr);
}

TEST(TablesTest, PageOfDocumentationIsTheOneInDocs) {
  std::ifstream file(SourceFile("docs/formats/tables.md"));
  std::stringstream text;
  text << file.rdbuf();
  const std::string page = Page(kTables);
  if (text.str() != page && std::getenv("SHEAF_WRITE_DOCS") != nullptr) {
    std::ofstream(SourceFile("docs/formats/tables.md")) << page;
  }
  EXPECT_EQ(text.str(), page) << "SHEAF_WRITE_DOCS=1 writes it";
}

}  // namespace
}  // namespace sheaf::records
