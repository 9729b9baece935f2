/* Planted: reading archives is no program; it must not include base. */
#include "base/log.h"
