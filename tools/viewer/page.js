// Starts Brax's viewer with the system that the page carries: JSON, compressed with zlib, in base64.
import {Viewer} from 'brax/viewer.js';

// Brax's camera is dragged along behind, from where one leg hides the others, and where few frames are drawn a fast
// robot leaves the picture. Beside the robot it sees the gait. Both choices stay in the page's controls.
class SideViewer extends Viewer {
  animate() {
    const beside = this.camera.follow && this.camera.freezeAngle;
    if (beside) {
      const step = this.target.position.clone().sub(this.controls.target).setZ(0);
      [this.controls.target, this.controlTargetPos, this.camera.position].forEach((point) => point.add(step));
    }
    const {y} = this.controls.target;
    super.animate();
    if (beside) this.camera.position.y += this.controls.target.y - y;  // freezeAngle moves the camera along x and z
  }
}

async function start() {
  const packed = document.getElementById('system').textContent.trim();
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const system = await new Response(plain).json();
  const viewer = window.viewer = new SideViewer(document.getElementById('brax-viewer'), system);
  viewer.camera.freezeAngle = true;
  viewer.camera.position.multiplyScalar(0.55);
}

start().catch((error) => {
  document.getElementById('brax-viewer').textContent = `The robot cannot be drawn (WebGL is needed): ${error.message}`;
  throw error;
});
