import type { NextConfig } from "next";

const gateway = process.env.TODO_URL ?? "http://localhost:8080";
const development = process.env.NODE_ENV === "development";

const config: NextConfig = {
  output: development ? undefined : "export",
  reactStrictMode: true,
  // `npm run dev` beside a running gateway; the export has no server.
  rewrites: development
    ? async () => [
        { source: "/api/:path*", destination: `${gateway}/api/:path*` },
        { source: "/:service(todo\\.v1\\.\\w+)/:rpc", destination: `${gateway}/:service/:rpc` },
      ]
    : undefined,
  turbopack: { root: import.meta.dirname },
};

export default config;
