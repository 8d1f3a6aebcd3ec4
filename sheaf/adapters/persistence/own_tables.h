// The tables that SQL back ends need beside the contract's.
#pragma once

#include "sheaf/wire/records/property.h"

namespace sheaf::persistence {

using records::Column;
using records::ColumnType;
using records::Table;
using records::TableSpec;

// Who may write where, and how its checkpoint stands.
inline constexpr TableSpec<7> kScopeSpec{
    .name = "sheaf_scope",
    .about = "Epochs by scope.",
    .properties = {{
        Column("scope", ColumnType::kString).Key(), Column("number", ColumnType::kLong),
        Column("holder", ColumnType::kString),
        Column("start", ColumnType::kInteger),    // 0 not restored, 1 warm, 2 cold.
        Column("slot", ColumnType::kInteger),     // Id in orckpt of the newest base.
        Column("generation", ColumnType::kLong),  // The newest; 0: none.
        Column("resources", ColumnType::kLong),   // Generation of resources.
    }},
};
inline constexpr Table kScopeTable = records::Describe<kScopeSpec>();

// A base lies in orckpt; here is where, and what it must be.
inline constexpr TableSpec<5> kGenerationSpec{
    .name = "sheaf_generation",
    .about = "Generations of checkpoints.",
    .properties = {{
        Column("scope", ColumnType::kString).Key(), Column("generation", ColumnType::kLong).Key(),
        Column("base_id", ColumnType::kInteger),   // In orckpt.
        Column("base_change", ColumnType::kLong),  // The last change that is in the base.
        Column("checksum", ColumnType::kLong),     // XXH3 of scope, generation, both documents.
    }},
};
inline constexpr Table kGenerationTable = records::Describe<kGenerationSpec>();

// Changes are numbered through all generations of a scope.
inline constexpr TableSpec<5> kChangeSpec{
    .name = "sheaf_change",
    .about = "Change sets on the bases of checkpoints.",
    .properties = {{
        Column("scope", ColumnType::kString).Key(),
        Column("generation", ColumnType::kLong).Key(),
        Column("number", ColumnType::kLong).Key(),
        Column("checksum", ColumnType::kLong),  // XXH3 of scope, number and body.
        Column("body", ColumnType::kBlob),
    }},
};
inline constexpr Table kChangeTable = records::Describe<kChangeSpec>();

// Which scope a node (kind `node`, its name) or a load (kind `load`, its job) belongs to.
inline constexpr TableSpec<3> kOwnerSpec{
    .name = "sheaf_owner",
    .about = "Which scope a resource belongs to.",
    .properties = {{
        Column("kind", ColumnType::kString).Key(),
        Column("key", ColumnType::kString).Key(),
        Column("scope", ColumnType::kString).Indexed(),
    }},
};
inline constexpr Table kOwnerTable = records::Describe<kOwnerSpec>();

// Version of the schema, and by which steps it came to be: see sql_versions.h.
inline constexpr TableSpec<2> kSchemaSpec{
    .name = "sheaf_schema",
    .about = "What this database holds.",
    .properties = {{
        Column("name", ColumnType::kString).Key(),
        Column("value", ColumnType::kString),
    }},
};
inline constexpr Table kSchemaTable = records::Describe<kSchemaSpec>();

// What was loaded from outside, by the hash of its content: loaded again it is a duplicate.
inline constexpr TableSpec<5> kLedgerSpec{
    .name = "sheaf_ledger",
    .about = "What was loaded from outside.",
    .properties = {{
        Column("hash", ColumnType::kString).Key(),
        Column("name", ColumnType::kString),    // Where it came from, for people.
        Column("kind", ColumnType::kString),    // "registration", "job", …
        Column("ducc_id", ColumnType::kLong),   // Its id in the tables.
        Column("loaded", ColumnType::kLong),    // When, ms since 1970.
    }},
};
inline constexpr Table kLedgerTable = records::Describe<kLedgerSpec>();

// Since version 1 of the schema; the ledger since 2.
inline constexpr std::array<const Table*, 6> kOwnTables = {
    &kScopeTable, &kGenerationTable, &kChangeTable, &kOwnerTable, &kSchemaTable, &kLedgerTable};

}  // namespace sheaf::persistence
