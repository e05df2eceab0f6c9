/** Releases and their files as GitHub shows them. */
import type { AssetView, ReleaseView } from "#forge";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { isoTime, nodeId, optionalTime, userShape } from "./people.ts";

export function releaseShape(release: ReleaseView, place: CommitPlace) {
  const url = `${apiUrl(place)}/releases/${release.id}`;
  const tag = encodeURIComponent(release.tag);
  const upload = `${place.serverUrl}/api/uploads/repos/${place.repository}/releases/${release.id}/assets`;
  return {
    url,
    html_url: `${place.serverUrl}/${place.repository}/releases/tag/${tag}`,
    assets_url: `${url}/assets`,
    upload_url: `${upload}{?name,label}`,
    tarball_url: release.draft ? null : `${apiUrl(place)}/tarball/${tag}`,
    zipball_url: release.draft ? null : `${apiUrl(place)}/zipball/${tag}`,
    id: release.id,
    node_id: nodeId("Release", release.id),
    tag_name: release.tag,
    target_commitish: release.target,
    name: release.name === "" ? null : release.name,
    body: release.body === "" ? null : release.body,
    draft: release.draft,
    prerelease: release.prerelease,
    immutable: false,
    created_at: isoTime(release.createdAt),
    published_at: optionalTime(release.publishedAt),
    author: userShape(release.author, place.serverUrl),
    assets: release.assets.map((asset) => assetShape(asset, release.tag, place)),
  };
}

export function assetShape(asset: AssetView, tag: string, place: CommitPlace) {
  const name = encodeURIComponent(asset.name);
  return {
    url: `${apiUrl(place)}/releases/assets/${asset.id}`,
    browser_download_url: `${place.serverUrl}/${place.repository}/releases/download/${encodeURIComponent(tag)}/${name}`,
    id: asset.id,
    node_id: nodeId("ReleaseAsset", asset.id),
    name: asset.name,
    label: asset.label === "" ? null : asset.label,
    state: "uploaded",
    content_type: asset.contentType,
    size: asset.size,
    digest: asset.digest,
    download_count: asset.downloads,
    created_at: isoTime(asset.createdAt),
    updated_at: isoTime(asset.createdAt),
    uploader: userShape(asset.uploader, place.serverUrl),
  };
}
