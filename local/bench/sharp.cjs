// The rival: npm's sharp, the rendition alone. node sharp.cjs PHOTO COUNT [RESULT], with sharp on NODE_PATH.
const fs = require("node:fs");
const sharp = require("sharp");

async function main(photo, count, result) {
  sharp.cache(false);
  const content = fs.readFileSync(photo);
  let made = Buffer.alloc(0);
  for (let turn = 0; turn < count; turn += 1) {
    made = await sharp(content).rotate().resize({ width: 1440 }).jpeg({ quality: 92, chromaSubsampling: "4:4:4" }).toBuffer();
  }
  if (result) fs.writeFileSync(result, made);
  const status = fs.existsSync("/proc/self/status") ? fs.readFileSync("/proc/self/status", "ascii") : "";
  const peak = /VmHWM:\s+(\d+)/.exec(status);
  console.log(peak ? Number(peak[1]) * 1024 : process.resourceUsage().maxRSS * 1024);
}

main(process.argv[2], Number(process.argv[3]), process.argv[4]);
