/* Was built for a version of the ABI that does not exist. */
#define MAJOR 2u
#include "base.h"
