#include "sheaf/wire/records/page.h"

#include "sheaf/wire/records/dialect.h"

namespace sheaf::records {
namespace {

std::string Traits(const Table& table, const Property& property, int& key_place) {
  std::string traits;
  const auto add = [&](std::string_view trait) {
    traits += (traits.empty() ? "" : ", ") + std::string(trait);
  };
  if (property.primary_key) add("key " + std::to_string(++key_place));
  if (property.index) add("index");
  if (property.is_private) add("private");
  if (!table.IsColumn(property)) add("in CQL only");
  return traits;
}

}  // namespace

std::string Page(std::span<const Table* const> tables) {
  std::string text =
      "# Tables\nWritten by `wire/records` from its descriptors; the room's test compares.\n\n"
      "A key of several columns is compound, in the order given. Private columns are never shown\n"
      "to an application. Where `pname` differs, applications use that name.\n";
  for (const Table* table : tables) {
    text += "\n## " + std::string(table->name) + "\n" + std::string(table->about) +
            "\n\n| column | pname | type | |\n|---|---|---|---|\n";
    int key_place = 0;
    for (const Property& property : table->properties) {
      if (property.is_meta) continue;
      const bool same = property.pname == property.column;
      text += "| " + std::string(property.column) + " | " +
              (same ? std::string() : std::string(property.pname)) + " | " +
              std::string(TypeWord(property.type)) + " | " + Traits(*table, property, key_place) +
              " |\n";
    }
  }
  return text;
}

}  // namespace sheaf::records
