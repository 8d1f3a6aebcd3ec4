// The door of drivers/grpc: what every service on gRPC's callback API needs, and nothing of Flight.
#pragma once

#include "sheaf/drivers/grpc/allocator.h"
#include "sheaf/drivers/grpc/context.h"
#include "sheaf/drivers/grpc/idle.h"
#include "sheaf/drivers/grpc/outcome.h"
#include "sheaf/drivers/grpc/reactor.h"
#include "sheaf/drivers/grpc/registry.h"
#include "sheaf/drivers/grpc/server.h"
#include "sheaf/drivers/grpc/tls.h"
