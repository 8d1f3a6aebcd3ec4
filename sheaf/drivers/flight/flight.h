// The door of drivers/flight: Flight's protocol on gRPC's callback API.
#pragma once

#include "sheaf/drivers/flight/action_body.h"
#include "sheaf/drivers/flight/server.h"
