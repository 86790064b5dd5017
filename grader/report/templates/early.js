// Before the first paint: the reader's choice of scheme, so that nothing flashes.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("batchlab-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* a browser that keeps nothing for local files still shows the page */ }
