/* Planted: libhallmark is pure; it must not include base. */
#include "base/log.h"
