// What the page has asked and not heard yet: requests that are open, and events in Gradio's queue, of
// which a stream tells the ends. It runs before the page's own scripts.
window.traffic = (() => {
  const REST_MILLISECONDS = 500;
  const ALWAYS = /\/(app_id|heartbeat\/[^/]*)$/; // asked whatever a visitor does, as is `poll`
  const asked = new Set();
  const joined = new Set(), ended = new Set();
  const fetchOnly = window.fetch;
  let changedAt = performance.now();
  const changed = () => { changedAt = performance.now(); };

  async function listen(stream) {
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (text + value).split('\n\n');
      text = lines.pop();
      for (const line of lines) {
        const { msg, event_id: event } = JSON.parse(line.slice('data: '.length));
        if (msg === 'process_completed') { ended.add(event); changed(); }
      }
    }
  }

  window.fetch = async (...request) => {
    const { pathname } = new URL(request[0].url ?? request[0], document.baseURI);
    const body = String(request[1]?.body ?? '');
    if (ALWAYS.test(pathname) || body.includes('"fn_name":"poll"')) return fetchOnly(...request);
    const isStream = pathname.endsWith('/queue/data');
    if (!isStream) { asked.add(request); changed(); }
    try {
      const response = await fetchOnly(...request);
      const { body: copy } = response.clone();
      if (isStream) listen(copy).catch(() => { /* the page has left */ });
      else if (pathname.endsWith('/queue/join')) {
        const { event_id: event } = await new Response(copy).json();
        joined.add(event);
      } else await new Response(copy).arrayBuffer();
      return response;
    } finally {
      asked.delete(request);
      changed();
    }
  };

  const waiting = () => [...joined].filter((event) => !ended.has(event));
  return {
    isAtRest: () => !asked.size && !waiting().length && performance.now() - changedAt > REST_MILLISECONDS,
    onTheWay: () => JSON.stringify({ asked: [...asked].map(([to]) => to.url ?? String(to)), waiting: waiting() }),
  };
})();
