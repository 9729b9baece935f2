/* board_event: events of a board's streams that belong to no name. */
#include "base/board_state.h"

#include <assert.h>
#include <string.h>

void board_event(
    struct board *board, const char *event, const char *ref, const char *full)
{
	assert(!board->closed);
	sse_publish(board->ref_hub, event, "", ref, strlen(ref), true);
	if (board->full_hub)
		sse_publish(
		    board->full_hub, event, "", full, strlen(full), true);
}
