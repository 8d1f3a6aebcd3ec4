// Tables of work: history, checkpoint, summaries, and the small ones of the orchestrator.
#pragma once

#include "sheaf/wire/records/property.h"

namespace sheaf::records {

inline constexpr TableSpec<7> kJobHistorySpec{
    .name = "job_history",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrWorkProps",
    .about = "Finished jobs, each whole in `work`, a versioned JSON document.",
    .properties = {{
        Column("job_history", ColumnType::kString).Private().Meta(),
        Column("res_history", ColumnType::kString).Private().Meta(),
        Column("svc_history", ColumnType::kString).Private().Meta(),
        Column("type", ColumnType::kString).Key(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("history", ColumnType::kBoolean).Indexed(),
        Column("work", ColumnType::kBlob),
    }},
    .descending = "ducc_id",
};
inline constexpr Table kJobHistory = Describe<kJobHistorySpec>();

inline constexpr TableSpec<7> kResHistorySpec{
    .name = "res_history",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrWorkProps",
    .about = "Finished reservations, each whole in `work`.",
    .properties = {{
        Column("job_history", ColumnType::kString).Private().Meta(),
        Column("res_history", ColumnType::kString).Private().Meta(),
        Column("svc_history", ColumnType::kString).Private().Meta(),
        Column("type", ColumnType::kString).Key(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("history", ColumnType::kBoolean).Indexed(),
        Column("work", ColumnType::kBlob),
    }},
    .descending = "ducc_id",
};
inline constexpr Table kResHistory = Describe<kResHistorySpec>();

inline constexpr TableSpec<7> kSvcHistorySpec{
    .name = "svc_history",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrWorkProps",
    .about = "Finished service instances and arbitrary processes, each whole in `work`.",
    .properties = {{
        Column("job_history", ColumnType::kString).Private().Meta(),
        Column("res_history", ColumnType::kString).Private().Meta(),
        Column("svc_history", ColumnType::kString).Private().Meta(),
        Column("type", ColumnType::kString).Key(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("history", ColumnType::kBoolean).Indexed(),
        Column("work", ColumnType::kBlob),
    }},
    .descending = "ducc_id",
};
inline constexpr Table kSvcHistory = Describe<kSvcHistorySpec>();

inline constexpr TableSpec<4> kOrckptSpec{
    .name = "orckpt",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrCkptProps",
    .about =
        "The base of the newest checkpoint, in the row with id 0: live work and process-to-job "
        "map.",
    .properties = {{
        Column("orckpt", ColumnType::kBlob).Private().Meta(),
        Column("id", ColumnType::kInteger).Key(),
        Column("work", ColumnType::kBlob),
        Column("p2jmap", ColumnType::kBlob),
    }},
};
inline constexpr Table kOrckpt = Describe<kOrckptSpec>();

inline constexpr TableSpec<29> kProcessesSpec{
    .name = "processes",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrProcessProps",
    .about =
        "Everything that was given space: processes of jobs and services, arbitrary ones, "
        "reservations.",
    .properties = {{
        Column("processes", ColumnType::kString).Private().Meta(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("share_id", ColumnType::kLong).Key(),
        Column("host", ColumnType::kString).Indexed(),
        Column("user", ColumnType::kString).Indexed(),
        Column("log", ColumnType::kString).Indexed(),
        Column("class", ColumnType::kString),
        Column("pid", ColumnType::kLong),
        Column("start", ColumnType::kLong).Indexed(),
        Column("stop", ColumnType::kLong).Indexed(),
        Column("reason_scheduler", ColumnType::kString),
        Column("reason_agent", ColumnType::kString),
        Column("extended_reason_agent", ColumnType::kString),
        Column("exit_code", ColumnType::kInteger),
        Column("deallocation_type", ColumnType::kString),
        Column("memory", ColumnType::kInteger),
        Column("cpu", ColumnType::kLong),
        Column("swap_max", ColumnType::kLong),
        Column("state_scheduler", ColumnType::kString),
        Column("state_agent", ColumnType::kString),
        Column("run_time", ColumnType::kLong),
        Column("initialized", ColumnType::kBoolean),
        Column("init_time", ColumnType::kLong),
        Column("type", ColumnType::kString).Indexed(),
        Column("major_faults", ColumnType::kLong),
        Column("investment", ColumnType::kLong),
        Column("gc_count", ColumnType::kLong),
        Column("gc_time", ColumnType::kLong),
        Column("jconsole", ColumnType::kLong),
    }},
};
inline constexpr Table kProcesses = Describe<kProcessesSpec>();

inline constexpr TableSpec<22> kJobsSpec{
    .name = "jobs",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrJobProps",
    .about = "Summaries of finished jobs, extracted from their documents.",
    .properties = {{
        Column("jobs", ColumnType::kString).Private().Meta(),
        Column("user", ColumnType::kString).Key(),
        Column("class", ColumnType::kString).Indexed(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("submission_time", ColumnType::kLong).Indexed(),
        Column("duration", ColumnType::kLong).Indexed(),
        Column("memory", ColumnType::kInteger).Indexed(),
        Column("services", ColumnType::kInteger).Indexed(),
        Column("processes", ColumnType::kInteger).Indexed(),
        Column("reason", ColumnType::kString).Indexed(),
        Column("init_fails", ColumnType::kInteger).Indexed(),
        Column("run_fails", ColumnType::kInteger).Indexed(),
        Column("errors", ColumnType::kInteger).Indexed(),
        Column("state", ColumnType::kString).Indexed(),
        Column("pgin", ColumnType::kLong).Indexed(),
        Column("swap", ColumnType::kLong).Indexed(),
        Column("total_wi", ColumnType::kInteger).Indexed(),
        Column("done_wi", ColumnType::kInteger).Indexed(),
        Column("dispatch", ColumnType::kInteger).Indexed(),
        Column("retries", ColumnType::kInteger).Indexed(),
        Column("preemptions", ColumnType::kInteger).Indexed(),
        Column("description", ColumnType::kString).Indexed(),
    }},
};
inline constexpr Table kJobs = Describe<kJobsSpec>();

inline constexpr TableSpec<13> kReservationsSpec{
    .name = "reservations",
    .interface_name = "IHistoryPersistenceManager",
    .enum_name = "OrReservationProps",
    .about = "Summaries of finished reservations, extracted from their documents.",
    .properties = {{
        Column("reservations", ColumnType::kString).Private().Meta(),
        Column("user", ColumnType::kString).Key(),
        Column("class", ColumnType::kString).Indexed(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("submission_time", ColumnType::kLong).Indexed(),
        Column("duration", ColumnType::kLong).Indexed(),
        Column("memory", ColumnType::kInteger).Indexed(),
        Column("reason", ColumnType::kString).Indexed(),
        Column("processes", ColumnType::kInteger),
        Column("state", ColumnType::kString).Indexed(),
        Column("type", ColumnType::kString).Indexed(),
        Column("hosts", ColumnType::kString),
        Column("description", ColumnType::kString).Indexed(),
    }},
};
inline constexpr Table kReservations = Describe<kReservationsSpec>();

inline constexpr TableSpec<4> kDuccworksSpec{
    .name = "duccworks",
    .interface_name = "IDbDuccWorks",
    .enum_name = "DbDuccWorks",
    .about = "Specifications of work as JSON.",
    .properties = {{
        Column("duccworks", ColumnType::kString).Private().Meta(),
        Column("type", ColumnType::kString).Key(),
        Column("ducc_id", ColumnType::kLong).Key(),
        Column("specification", ColumnType::kString),
    }},
};
inline constexpr Table kDuccworks = Describe<kDuccworksSpec>();

inline constexpr TableSpec<3> kOrpropsSpec{
    .name = "orprops",
    .interface_name = "IDbOrchestratorProperties",
    .enum_name = "DbOrchestratorProperties",
    .about = "Small properties of the orchestrator by name.",
    .properties = {{
        Column("orprops", ColumnType::kString).Private().Meta(),
        Column("name", ColumnType::kString).Key(),
        Column("value", ColumnType::kString),
    }},
};
inline constexpr Table kOrprops = Describe<kOrpropsSpec>();

inline constexpr TableSpec<5> kDaemonLifetimeSpec{
    .name = "daemonLifetime",
    .interface_name = "IDbDaemonLifetime",
    .enum_name = "DaemonLifetimeProperties",
    .about = "When daemons started and stopped.",
    .properties = {{
        Column("daemonLifetime", ColumnType::kString),
        Column("host", ColumnType::kString).Key(),
        Column("daemon", ColumnType::kString).Key(),
        Column("state", ColumnType::kString),
        Column("tod", ColumnType::kLong),
    }},
    .cql_column = "daemonLifetime",
};
inline constexpr Table kDaemonLifetime = Describe<kDaemonLifetimeSpec>();

inline constexpr TableSpec<3> kUserLoginSpec{
    .name = "UserLogin",
    .interface_name = "IDbUserLogin",
    .enum_name = "UserLoginProperties",
    .about = "Validation of logged-in users.",
    .properties = {{
        Column("UserLogin", ColumnType::kString).Private().Meta(),
        Column("name", ColumnType::kString).Key(),
        Column("validationId", ColumnType::kString),
    }},
};
inline constexpr Table kUserLogin = Describe<kUserLoginSpec>();

}  // namespace sheaf::records
