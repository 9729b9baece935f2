/* bus_worker: see bus_worker.h. */
#include "verifier/daemon/bus_worker.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* ---- on the loop ---- */

static void on_closed(uv_handle_t *handle)
{
	struct bus_worker *w = handle->data;

	uv_cond_destroy(&w->wakes);
	uv_mutex_destroy(&w->lock);
	w->stopped(w->stopped_data);
}

static void log_change(struct bus_worker *w)
{
	char why[BUS_ERROR_MAX];
	bool connected = bus_worker_connected(w, why);

	if (connected && !why[0] && !w->told_connected)
		log_info("bus", "nats_connected", LOG_S("role", w->role),
		    LOG_S("stream", w->config->name));
	if (why[0] && !w->told_lost)
		log_warn("bus", "nats_fails", LOG_S("role", w->role),
		    LOG_S("stream", w->config->name), LOG_S("why", why));
	w->told_connected = connected && !why[0];
	w->told_lost = why[0];
}

static void on_async(uv_async_t *async)
{
	struct bus_worker *w = async->data;
	bool ended;

	uv_mutex_lock(&w->lock);
	ended = w->ended;
	uv_mutex_unlock(&w->lock);
	log_change(w);
	if (w->news)
		w->news(w);
	if (ended && !uv_is_closing((uv_handle_t *)async)) {
		uv_thread_join(&w->thread);
		uv_close((uv_handle_t *)async, on_closed);
	}
}

static void run(void *data)
{
	struct bus_worker *w = data;

	w->run(w);
	nats_ReleaseThreadMemory();
	uv_mutex_lock(&w->lock);
	w->ended = true;
	uv_mutex_unlock(&w->lock);
	bus_worker_poke(w);
}

void bus_worker_start(struct bus_worker *worker, uv_loop_t *loop,
    const struct bus_config *config, const char *role,
    void (*run_it)(struct bus_worker *worker),
    void (*news)(struct bus_worker *worker))
{
	struct bus_worker *w = worker;

	memset(w, 0, sizeof(*w));
	w->config = config;
	w->role = role;
	w->run = run_it;
	w->news = news;
	w->async.data = w;
	snprintf(w->why, sizeof(w->why), "not connected yet");
	if (uv_mutex_init(&w->lock) || uv_cond_init(&w->wakes) ||
	    uv_async_init(loop, &w->async, on_async) ||
	    uv_thread_create(&w->thread, run, w))
		log_die("bus", "no thread");
}

void bus_worker_wake(struct bus_worker *worker)
{
	uv_mutex_lock(&worker->lock);
	worker->woken = true;
	uv_cond_signal(&worker->wakes);
	uv_mutex_unlock(&worker->lock);
}

void bus_worker_stop(
    struct bus_worker *worker, void (*stopped)(void *data), void *data)
{
	worker->stopped = stopped;
	worker->stopped_data = data;
	uv_mutex_lock(&worker->lock);
	worker->stopping = true;
	uv_cond_signal(&worker->wakes);
	uv_mutex_unlock(&worker->lock);
}

bool bus_worker_connected(struct bus_worker *worker, char why[BUS_ERROR_MAX])
{
	bool connected;

	uv_mutex_lock(&worker->lock);
	connected = worker->connected;
	memcpy(why, worker->why, BUS_ERROR_MAX);
	uv_mutex_unlock(&worker->lock);
	return connected;
}

/* ---- in the thread ---- */

bool bus_worker_stopping(struct bus_worker *worker)
{
	bool stopping;

	uv_mutex_lock(&worker->lock);
	stopping = worker->stopping;
	uv_mutex_unlock(&worker->lock);
	return stopping;
}

bool bus_worker_wait(struct bus_worker *worker, unsigned ms)
{
	uint64_t end = uv_hrtime() + ms * UINT64_C(1000000), now;
	bool stopping;

	uv_mutex_lock(&worker->lock);
	while (!worker->woken && !worker->stopping && (now = uv_hrtime()) < end)
		(void)uv_cond_timedwait(
		    &worker->wakes, &worker->lock, end - now);
	worker->woken = false;
	stopping = worker->stopping;
	uv_mutex_unlock(&worker->lock);
	return !stopping;
}

void bus_worker_tell(struct bus_worker *worker, bool connected, const char *why)
{
	bool changed;

	uv_mutex_lock(&worker->lock);
	changed = connected != worker->connected ||
		  strcmp(why, worker->why) != 0;
	worker->connected = connected;
	snprintf(worker->why, sizeof(worker->why), "%s", why);
	uv_mutex_unlock(&worker->lock);
	if (changed)
		bus_worker_poke(worker);
}

void bus_worker_poke(struct bus_worker *worker)
{
	uv_async_send(&worker->async);
}
