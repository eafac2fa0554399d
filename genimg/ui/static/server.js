// The page asks the server where the browser found the page, and says when nobody answers there.
(() => {
  const AGAIN_MS = 5000, PATIENCE_MS = 10000;
  const config = window.gradio_config;
  config.root = new URL('.', document.baseURI).href.replace(/\/$/, '');

  const banner = document.createElement('div');
  banner.id = 'unreached';
  banner.setAttribute('role', 'alert');

  async function answers() {
    try {
      const address = `${config.root}${config.api_prefix}/app_id`;
      const options = { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) };
      const answer = await fetch(address, options);
      return answer.ok && 'app_id' in (await answer.json());  // a proxy may answer in its place
    } catch {
      return false;
    }
  }

  async function look() {
    if (!document.hidden) {
      put(banner, (await answers()) ? '' : 'frame.unreached');
      if (!banner.isConnected) document.body.prepend(banner);
    }
    setTimeout(look, AGAIN_MS);
  }
  addEventListener('load', look);
})();
