// Tables of present state: registered services, nodes, shares, load.
#pragma once

#include "sheaf/wire/records/property.h"

namespace sheaf::records {

inline constexpr TableSpec<31> kSmregSpec{
    .name = "smreg",
    .interface_name = "IStateServices",
    .enum_name = "SvcRegProps",
    .about = "Registrations of services as they were submitted.",
    .properties = {{
        Column("smreg", ColumnType::kString).Private().Meta(),
        Column("numeric_id", ColumnType::kString).Key().Private(),
        Column("uuid", ColumnType::kString).Private(),
        Column("is_archived", ColumnType::kBoolean).Private(),
        Column("description", ColumnType::kString),
        Column("administrators", ColumnType::kString),
        Column("scheduling_class", ColumnType::kString),
        Column("log_directory", ColumnType::kString),
        Column("working_directory", ColumnType::kString),
        Column("jvm", ColumnType::kString),
        Column("process_jvm_args", ColumnType::kString),
        Column("classpath", ColumnType::kString),
        Column("environment", ColumnType::kString),
        Column("process_memory_size", ColumnType::kString),
        Column("process_descriptor_DD", ColumnType::kString),
        Column("process_debug", ColumnType::kString),
        Column("process_executable", ColumnType::kString),
        Column("process_executable_args", ColumnType::kString),
        Column("process_initialization_time_max", ColumnType::kString),
        Column("service_dependency", ColumnType::kString),
        Column("service_request_endpoint", ColumnType::kString),
        Column("service_linger", ColumnType::kString),
        Column("service_ping_arguments", ColumnType::kString),
        Column("service_ping_class", ColumnType::kString),
        Column("service_ping_classpath", ColumnType::kString),
        Column("service_ping_jvm_args", ColumnType::kString),
        Column("service_ping_dolog", ColumnType::kString),
        Column("service_ping_timeout", ColumnType::kString),
        Column("instance_failures_window", ColumnType::kString),
        Column("instance_failures_limit", ColumnType::kString),
        Column("instance_init_failures_limit", ColumnType::kString),
    }},
    .cql_index = "is_archived",
};
inline constexpr Table kSmreg = Describe<kSmregSpec>();

inline constexpr TableSpec<33> kSmmetaSpec{
    .name = "smmeta",
    .interface_name = "IStateServices",
    .enum_name = "SvcMetaProps",
    .about = "The active state of registered services.",
    .properties = {{
        Column("smmeta", ColumnType::kString).Private().Meta(),
        Column("numeric_id", ColumnType::kString).Key(),
        Column("is_archived", ColumnType::kBoolean).Private(),
        Column("uuid", ColumnType::kString),
        Column("reference", ColumnType::kString),
        Column("enabled", ColumnType::kString),
        Column("autostart", ColumnType::kString),
        Column("instances", ColumnType::kString),
        Column("endpoint", ColumnType::kString),
        Column("disable-reason", "disable_reason", ColumnType::kString),
        Column("implementors", ColumnType::kString),
        Column("ping-active", "ping_active", ColumnType::kString),
        Column("ping-only", "ping_only", ColumnType::kString),
        Column("service-alive", "service_alive", ColumnType::kString),
        Column("service-class", "service_class", ColumnType::kString),
        Column("service-dependency", "service_dependency", ColumnType::kString),
        Column("service-healthy", "service_healthy", ColumnType::kString),
        Column("service-state", "service_state", ColumnType::kString),
        Column("last-use", "last_use", ColumnType::kString),
        Column("last-use-readable", "last_use_readable", ColumnType::kString),
        Column("service-statistics", "service_statistics", ColumnType::kString),
        Column("service-type", "service_type", ColumnType::kString),
        Column("submit-error", "submit_error", ColumnType::kString),
        Column("user", ColumnType::kString),
        Column("references", ColumnType::kString),
        Column("stopped", ColumnType::kString),
        Column("last-ping", "last_ping", ColumnType::kString),
        Column("last-ping-readable", "last_ping_readable", ColumnType::kString),
        Column("last-runnable", "last_runnable", ColumnType::kString),
        Column("last-runnable-readable", "last_runnable_readable", ColumnType::kString),
        Column("work-instances", "work_instances", ColumnType::kString),
        Column("registration-date", "registration_date", ColumnType::kString),
        Column("registration-date-millis", "registration_date_millis", ColumnType::kString),
    }},
    .cql_index = "is_archived",
};
inline constexpr Table kSmmeta = Describe<kSmmetaSpec>();

inline constexpr TableSpec<17> kRmnodesSpec{
    .name = "rmnodes",
    .interface_name = "IRmPersistence",
    .enum_name = "RmNodes",
    .about = "Nodes as the resource manager sees them.",
    .properties = {{
        Column("rmnodes", ColumnType::kString).Private().Meta(),
        Column("name", ColumnType::kString).Key(),
        Column("memory", ColumnType::kInteger),
        Column("nodepool", ColumnType::kString),
        Column("shares_left", ColumnType::kInteger),
        Column("responsive", ColumnType::kBoolean).Indexed(),
        Column("online", ColumnType::kBoolean).Indexed(),
        Column("quiesced", ColumnType::kBoolean).Indexed(),
        Column("reservable", ColumnType::kBoolean).Indexed(),
        Column("ip", ColumnType::kString),
        Column("quantum", ColumnType::kInteger),
        Column("classes", ColumnType::kString),
        Column("share_order", ColumnType::kInteger),
        Column("blacklisted", ColumnType::kBoolean),
        Column("heartbeats", ColumnType::kInteger),
        Column("assignments", ColumnType::kInteger),
        Column("np_assignments", ColumnType::kInteger),
    }},
};
inline constexpr Table kRmnodes = Describe<kRmnodesSpec>();

inline constexpr TableSpec<16> kRmsharesSpec{
    .name = "rmshares",
    .interface_name = "IRmPersistence",
    .enum_name = "RmShares",
    .about = "Shares of nodes that were given to jobs.",
    .properties = {{
        Column("rmshares", ColumnType::kString).Private().Meta(),
        Column("node", ColumnType::kString).Key(),
        Column("ducc_dbid", ColumnType::kLong).Key(),
        Column("job_id", ColumnType::kLong).Key(),
        Column("uuid", ColumnType::kUuid),
        Column("share_order", ColumnType::kInteger),
        Column("quantum", ColumnType::kInteger),
        Column("init_time", ColumnType::kLong),
        Column("evicted", ColumnType::kBoolean),
        Column("purged", ColumnType::kBoolean),
        Column("fixed", ColumnType::kBoolean),
        Column("blacklisted", ColumnType::kBoolean),
        Column("state", ColumnType::kString),
        Column("pid", ColumnType::kLong),
        Column("jobtype", ColumnType::kString),
        Column("investment", ColumnType::kLong),
    }},
};
inline constexpr Table kRmshares = Describe<kRmsharesSpec>();

inline constexpr TableSpec<9> kRmloadSpec{
    .name = "rmload",
    .interface_name = "IRmPersistence",
    .enum_name = "RmLoad",
    .about = "Demand and occupancy of each job.",
    .properties = {{
        Column("rmload", ColumnType::kString).Private().Meta(),
        Column("class", ColumnType::kString),
        Column("job_id", ColumnType::kLong).Key(),
        Column("user", ColumnType::kString),
        Column("memory", ColumnType::kInteger),
        Column("state", ColumnType::kString),
        Column("demand", ColumnType::kInteger),
        Column("occupancy", ColumnType::kInteger),
        Column("jobtype", ColumnType::kString),
    }},
};
inline constexpr Table kRmload = Describe<kRmloadSpec>();

}  // namespace sheaf::records
