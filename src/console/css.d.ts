// esbuild collects the stylesheets that the scripts import.
declare module '*.css' {}
